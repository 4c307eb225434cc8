#include "report.h"

#include <stdbool.h>
#include <stdio.h>

/// The first character of the next line on stdin.
static int await_line(void) {
  fflush(stdout);
  int first = getchar();
  for (int byte = first; byte != '\n' && byte != EOF;) byte = getchar();
  return first;
}

bool report_ready(bool wait) {
  if (!wait) return true;
  puts("{\"phase\":\"ready\"}");
  return await_line() != 'w';
}

void report_result(const struct totals* totals) {
  const struct histogram* latency = &totals->latency;
  printf(
      "{\"phase\":\"result\",\"requests\":%llu,\"bytes\":%llu,\"errors\":%llu,\"resumed\":%llu,\"seconds\":%.9f,"
      "\"cpuSeconds\":%.9f,",
      (unsigned long long)totals->requests, (unsigned long long)totals->bytes, (unsigned long long)totals->errors,
      (unsigned long long)totals->resumed, (double)totals->ns / 1e9, (double)totals->cpu_ns / 1e9);
  printf("\"latencyUs\":{\"mean\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}}\n", histogram_mean(latency) / 1e3,
         (double)histogram_quantile(latency, 0.5) / 1e3, (double)histogram_quantile(latency, 0.99) / 1e3,
         (double)latency->max / 1e3);
  fflush(stdout);
}

void report_held(unsigned connections, uint64_t bytes_sent) {
  printf("{\"phase\":\"held\",\"connections\":%u,\"bytesSent\":%llu}\n", connections, (unsigned long long)bytes_sent);
  await_line();
}
