// The two ways out: many connections' bytes in one call without waiting, and one connection's bytes with.
#ifndef SLUICE_WRITE_H_
#define SLUICE_WRITE_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "loop.h"

namespace sluice {

// NativeLoop.flush. Returns nullptr when there was nothing wrong, else the text of the caller's mistake; the operations
// before the mistaken one are done then, and their results stored.
const char* Flush(napi_env env, Loop* loop, int32_t* ops, size_t length, napi_value buffers);

// NativeLoop.writeQueued. Returns false with a TypeError pending when `buffers` is not an array of typed arrays.
bool WriteQueued(napi_env env, Loop* loop, int32_t id, napi_value buffers, int* result);

}  // namespace sluice

#endif  // SLUICE_WRITE_H_
