// Monotonic time, in nanoseconds.
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

static inline uint64_t clock_read(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline uint64_t now_ns(void) { return clock_read(CLOCK_MONOTONIC); }

/// Time that this process spent on a CPU, user and system.
static inline uint64_t own_cpu_ns(void) { return clock_read(CLOCK_PROCESS_CPUTIME_ID); }
