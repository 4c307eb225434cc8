// What is sent, and what must come back: every byte of every answer is known beforehand.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct exchange {
  const char* request;
  size_t request_bytes;
  const char* answer;
  size_t answer_bytes;
};

struct source {
  /// The `index`-th exchange of a connection. Pure: the same arguments give the same bytes.
  struct exchange (*exchange)(const struct source* source, unsigned connection, uint64_t index);
  size_t message_bytes;
  const char* pattern;
  // kv
  unsigned keys;
  unsigned connections;
  unsigned set_percent;
  const struct kv_entry* entries;
};

/// Each message is different, and so is each connection.
struct source source_echo(size_t message_bytes);

/// Gets and sets of keys whose values never change, in an order that is random and always the same.
struct source source_kv(unsigned keys, size_t value_bytes, unsigned set_percent, unsigned connections);

/// The sets that make the answers of `source_kv` true: each connection sets its share of the keys.
struct source source_kv_preload(const struct source* kv);

/// How many exchanges of the preload each connection makes.
uint64_t source_kv_preload_count(const struct source* kv);
