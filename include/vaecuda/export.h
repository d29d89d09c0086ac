/* Marks what the shared library exports; everything else in it is hidden. */
#ifndef VAECUDA_EXPORT_H
#define VAECUDA_EXPORT_H

#if defined(__GNUC__)
#define VAECUDA_API __attribute__((visibility("default")))
/* For what lies inside an exported class. */
#define VAECUDA_HIDDEN __attribute__((visibility("hidden")))
#else
#define VAECUDA_API
#define VAECUDA_HIDDEN
#endif

#endif
