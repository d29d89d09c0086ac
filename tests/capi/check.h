/* The few lines of a test framework that a C program needs. */
#ifndef VAECUDA_TESTS_CAPI_CHECK_H
#define VAECUDA_TESTS_CAPI_CHECK_H

#include <stdio.h>
#include <string.h>
#include <vaecuda/vaecuda.h>

extern int failures;
extern int checks;

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)
/* The call gives this status, and the message has this text in it (NULL: any). */
#define EXPECT(call, wanted, text) expect((call), (wanted), (text), #call, __FILE__, __LINE__)
#define OK(call) EXPECT(call, VAECUDA_OK, NULL)

static inline void check(int holds, const char* what, const char* file, int line) {
  ++checks;
  if (holds) return;
  ++failures;
  printf("%s:%d: failed: %s\n", file, line, what);
}

static inline void expect(int status, int wanted, const char* text, const char* what, const char* file,
                          int line) {
  const int said = text == NULL || strstr(vaecuda_last_error(), text) != NULL;
  ++checks;
  if (status == wanted && said) return;
  ++failures;
  printf("%s:%d: failed: %s gives %d (%s), not %d with '%s'\n", file, line, what, status,
         status == VAECUDA_OK ? "" : vaecuda_last_error(), wanted, text == NULL ? "" : text);
}

#endif
