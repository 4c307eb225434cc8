// What the command line asked for.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_case { CASE_ECHO, CASE_CONNECT, CASE_IDLE, CASE_NEVER_READ, CASE_KV };

enum { DEPTH_MAX = 64, CONNECTIONS_MAX = 50000, MESSAGE_BYTES_MAX = 16 << 20 };

struct options {
  enum load_case load_case;
  const char* host;  // a numeric IPv4 address
  uint16_t port;
  bool tls;
  bool resume;  // TLS: every measured handshake resumes a session
  unsigned connections;
  size_t message_bytes;
  unsigned depth;       // requests in flight on one connection
  uint64_t pace_ns;     // one request per connection in this time; 0: as fast as answers come
  uint64_t warm_ns;     // load that is not measured, first
  uint64_t measure_ns;  // how long requests are begun
  uint64_t count;       // requests per connection instead of a time; 0: measure_ns decides
  unsigned keys;        // kv: how many
  unsigned set_percent;
  size_t send_bytes_max;  // never-read: what one connection sends at most
  uint64_t settle_ns;     // never-read: nothing moved for so long: the server has stopped reading
  uint64_t stall_ns;      // no answer for so long: the server is stuck
  bool wait;              // before measuring, say so and wait for a line on stdin
};

/// Ends the program with a usage line when an argument is unknown or out of range.
struct options options_parse(int argc, char** argv);
