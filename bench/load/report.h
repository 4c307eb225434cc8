// What the program prints: one JSON object per phase, one a line.
#pragma once

#include <stdbool.h>

#include "histogram.h"

struct totals {
  uint64_t requests;
  uint64_t bytes;  // of requests and answers together
  uint64_t errors;
  uint64_t resumed;  // TLS handshakes that resumed a session
  uint64_t ns;
  uint64_t cpu_ns;  // this program's own
  struct histogram latency;
};

/// With --wait: says that measuring may begin, and waits to be told. False when told to warm up once more instead.
bool report_ready(bool wait);

void report_result(const struct totals* totals);

/// Says what the connections hold, and waits for a line on stdin, so that the server can be looked at.
void report_held(unsigned connections, uint64_t bytes_sent);
