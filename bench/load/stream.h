// Exchanges over one connection: sends requests, several in flight if wanted, and compares every byte that comes back.
#pragma once

#include "connection.h"
#include "histogram.h"
#include "options.h"
#include "source.h"

struct stream {
  struct connection connection;
  const struct source* source;
  unsigned index;
  uint64_t begun;         // exchanges whose request may be sent
  uint64_t sent;          // requests sent whole
  uint64_t answered;      // answers received whole, and right
  size_t request_offset;  // bytes sent of the request that is being sent
  size_t answer_offset;   // bytes received of the answer that is being received
  uint64_t started_ns[DEPTH_MAX];
};

/// Starts over with exchange 0.
void stream_reset(struct stream* stream, const struct source* source);

/// Adds one exchange to those in flight. `started_ns` is what its latency counts from.
void stream_begin(struct stream* stream, uint64_t started_ns);

/// Sends what has begun, as far as the kernel takes it. False when the connection failed.
bool stream_send(struct stream* stream);

enum stream_outcome { STREAM_OPEN, STREAM_ENDED, STREAM_FAILED };

/// Receives and compares all that is there; each answer's time goes to `latency`, if there is one.
/// Ends the program when a byte differs, or when one comes that nobody asked for.
enum stream_outcome stream_receive(struct stream* stream, struct histogram* latency);
