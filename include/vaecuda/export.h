/* Marks symbols that the shared library exports; all others are hidden. */
#ifndef VAECUDA_EXPORT_H
#define VAECUDA_EXPORT_H

#if defined(__GNUC__)
#define VAECUDA_API __attribute__((visibility("default")))
/* For types nested in an exported class. */
#define VAECUDA_HIDDEN __attribute__((visibility("hidden")))
#else
#define VAECUDA_API
#define VAECUDA_HIDDEN
#endif

#endif
