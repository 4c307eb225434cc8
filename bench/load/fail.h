// Ends the program with one line that says why.
#pragma once

enum {
  EXIT_MEASURED_NOTHING = 1,  // the server answered wrongly, or not at all
  EXIT_USAGE = 2,
};

/// Prints "load: " and the message to stderr, and exits with `status`.
__attribute__((noreturn, format(printf, 2, 3))) void fail(int status, const char* format, ...);

/// calloc that never returns NULL.
__attribute__((malloc)) void* allocate(unsigned long count, unsigned long bytes);
