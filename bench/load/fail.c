#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(status);
}

void* allocate(unsigned long count, unsigned long bytes) {
  void* memory = calloc(count, bytes);
  if (memory == NULL) fail(EXIT_MEASURED_NOTHING, "out of memory for %lu times %lu bytes", count, bytes);
  return memory;
}
