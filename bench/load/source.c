#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

/// A prime, so that messages of any size meet every offset of the pattern.
enum { PATTERN_PERIOD = 65521, CONNECTION_STRIDE = 7919, KEY_BYTES_MAX = 32 };

struct kv_entry {
  char* get;
  size_t get_bytes;
  char* value;  // the answer to get
  size_t value_bytes;
  char* set;
  size_t set_bytes;
};

static const char stored[] = "STORED\r\n";

/// splitmix64.
static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15ull;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

static struct exchange echo_exchange(const struct source* source, unsigned connection, uint64_t index) {
  uint64_t offset = ((uint64_t)connection * CONNECTION_STRIDE + index * source->message_bytes) % PATTERN_PERIOD;
  const char* bytes = source->pattern + offset;
  return (struct exchange){bytes, source->message_bytes, bytes, source->message_bytes};
}

struct source source_echo(size_t message_bytes) {
  size_t size = PATTERN_PERIOD + message_bytes;
  char* pattern = allocate(size, 1);
  for (size_t index = 0; index < size; index++) pattern[index] = (char)(mix(index % PATTERN_PERIOD) >> 32);
  return (struct source){.exchange = echo_exchange, .message_bytes = message_bytes, .pattern = pattern};
}

static struct exchange get_of(const struct kv_entry* entry) {
  return (struct exchange){entry->get, entry->get_bytes, entry->value, entry->value_bytes};
}

static struct exchange set_of(const struct kv_entry* entry) {
  return (struct exchange){entry->set, entry->set_bytes, stored, sizeof stored - 1};
}

static struct exchange kv_exchange(const struct source* source, unsigned connection, uint64_t index) {
  uint64_t random = mix(((uint64_t)connection << 40) ^ index);
  const struct kv_entry* entry = &source->entries[(random >> 16) % source->keys];
  return (random & 0xffff) * 100 < (uint64_t)source->set_percent << 16 ? set_of(entry) : get_of(entry);
}

static struct exchange preload_exchange(const struct source* source, unsigned connection, uint64_t index) {
  return set_of(&source->entries[(index * source->connections + connection) % source->keys]);
}

static struct kv_entry make_entry(unsigned number, size_t value_bytes) {
  struct kv_entry entry;
  char key[KEY_BYTES_MAX];
  snprintf(key, sizeof key, "key-%08u", number);
  char* value = allocate(value_bytes + 1, 1);
  for (size_t index = 0; index < value_bytes; index++) value[index] = (char)('a' + mix(number + index) % 26);
  size_t room = value_bytes + 100;
  entry.get = allocate(room, 1);
  entry.value = allocate(room, 1);
  entry.set = allocate(room, 1);
  entry.get_bytes = (size_t)snprintf(entry.get, room, "get %s\r\n", key);
  entry.value_bytes = (size_t)snprintf(entry.value, room, "VALUE %s 0 %zu\r\n%s\r\nEND\r\n", key, value_bytes, value);
  entry.set_bytes = (size_t)snprintf(entry.set, room, "set %s 0 0 %zu\r\n%s\r\n", key, value_bytes, value);
  free(value);
  return entry;
}

struct source source_kv(unsigned keys, size_t value_bytes, unsigned set_percent, unsigned connections) {
  struct kv_entry* entries = allocate(keys, sizeof *entries);
  for (unsigned number = 0; number < keys; number++) entries[number] = make_entry(number, value_bytes);
  return (struct source){
      .exchange = kv_exchange,
      .message_bytes = value_bytes,
      .keys = keys,
      .connections = connections,
      .set_percent = set_percent,
      .entries = entries,
  };
}

struct source source_kv_preload(const struct source* kv) {
  struct source preload = *kv;
  preload.exchange = preload_exchange;
  return preload;
}

uint64_t source_kv_preload_count(const struct source* kv) { return (kv->keys + kv->connections - 1) / kv->connections; }
