#include "write.h"

#include <memory>
#include <utility>
#include <vector>

#include "napi.h"

namespace sluice {
namespace {

// What one gathered system call takes (IOV_MAX on Linux and macOS). A connection that offers more is written short.
constexpr size_t kGatherMax = 1024;
constexpr size_t kOpHeader = 3;
constexpr size_t kOpChunk = 3;
constexpr int32_t kFromSlab = -1;
constexpr int32_t kFromScratch = -2;

// The bytes that chunks name. Remembers the last buffer, because neighbours often share one.
class Sources {
 public:
  Sources(napi_env env, const Loop* loop, napi_value buffers) : env_(env), loop_(loop), buffers_(buffers) {}

  bool Find(int32_t index, Bytes* out) {
    if (index == kFromSlab) {
      *out = loop_->slab();
    } else if (index == kFromScratch) {
      *out = loop_->scratch();
    } else {
      if (index < 0 || (index != last_index_ && !Load(index))) return false;
      *out = last_;
    }
    return true;
  }

 private:
  bool Load(int32_t index) {
    napi_value element = nullptr;
    if (napi_get_element(env_, buffers_, static_cast<uint32_t>(index), &element) != napi_ok) return false;
    if (!ReadView(env_, element, &last_)) return false;
    last_index_ = index;
    return true;
  }

  napi_env env_;
  const Loop* loop_;
  napi_value buffers_;
  int32_t last_index_ = -1;
  Bytes last_;
};

// One connection's write of `count` buffers, `offered` bytes in all.
int WriteOnce(Loop* loop, int32_t id, const uv_buf_t* gathered, size_t count, size_t offered) {
  Handle* handle = loop->Find(id);
  if (handle == nullptr) return UV_EBADF;
  if (offered == 0) return 0;
  double* counters = loop->counters();
  counters[Counter::kWrites] += 1;
  int result = handle->TryWrite(gathered, static_cast<unsigned int>(count));
  if (result < 0) return result;
  counters[Counter::kBytesWritten] += result;
  if (static_cast<size_t>(result) < offered) counters[Counter::kWritesRefused] += 1;
  return result;
}

}  // namespace

const char* Flush(napi_env env, Loop* loop, int32_t* ops, size_t length, napi_value buffers) {
  loop->counters()[Counter::kFlushes] += 1;
  Sources sources(env, loop, buffers);
  uv_buf_t gathered[kGatherMax];
  size_t at = 0;
  while (at < length) {
    if (length - at < kOpHeader) return "flush: an operation's header passes opsLength";
    int32_t* op = ops + at;
    if (op[1] < 0 || static_cast<size_t>(op[1]) > (length - at - kOpHeader) / kOpChunk) {
      return "flush: an operation's chunks pass opsLength";
    }
    const size_t chunks = static_cast<size_t>(op[1]);
    const size_t count = chunks < kGatherMax ? chunks : kGatherMax;
    size_t offered = 0;
    for (size_t i = 0; i < count; i++) {
      const int32_t* chunk = op + kOpHeader + i * kOpChunk;
      Bytes bytes;
      if (!sources.Find(chunk[0], &bytes)) return "flush: a chunk names no buffer";
      if (chunk[1] < 0 || chunk[2] < 0 || static_cast<size_t>(chunk[1]) > bytes.length ||
          static_cast<size_t>(chunk[2]) > bytes.length - static_cast<size_t>(chunk[1])) {
        return "flush: a chunk is outside its buffer";
      }
      gathered[i] = uv_buf_init(reinterpret_cast<char*>(bytes.data + chunk[1]), static_cast<unsigned int>(chunk[2]));
      offered += static_cast<size_t>(chunk[2]);
    }
    op[2] = WriteOnce(loop, op[0], gathered, count, offered);
    at += kOpHeader + chunks * kOpChunk;
  }
  return nullptr;
}

namespace {

// Fills `list` from the views in `buffers`, and pins each ArrayBuffer once. An ArrayBuffer is known by its address.
bool Gather(napi_env env, napi_value buffers, std::vector<uv_buf_t>* list, WriteRequest* request) {
  uint32_t length = 0;
  if (napi_get_array_length(env, buffers, &length) != napi_ok) return false;
  list->reserve(length);
  std::vector<const uint8_t*> pinned;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element = nullptr;
    if (napi_get_element(env, buffers, i, &element) != napi_ok) return false;
    Bytes bytes;
    napi_value array_buffer = nullptr;
    size_t byte_offset = 0;
    if (!ReadView(env, element, &bytes)) return false;
    SLUICE_NAPI(env, napi_get_typedarray_info(env, element, nullptr, nullptr, nullptr, &array_buffer, &byte_offset));
    if (bytes.length == 0) continue;
    list->push_back(uv_buf_init(reinterpret_cast<char*>(bytes.data), static_cast<unsigned int>(bytes.length)));
    const uint8_t* start = bytes.data - byte_offset;
    bool known = false;
    for (const uint8_t* other : pinned) known = known || other == start;
    if (known) continue;
    pinned.push_back(start);
    napi_ref pin = nullptr;
    SLUICE_NAPI(env, napi_create_reference(env, array_buffer, 1, &pin));
    request->pins.push_back(pin);
  }
  return true;
}

}  // namespace

bool WriteQueued(napi_env env, Loop* loop, int32_t id, napi_value buffers, int* result) {
  auto request = std::make_unique<WriteRequest>(env);
  std::vector<uv_buf_t> list;
  if (!Gather(env, buffers, &list, request.get())) {
    bool pending = false;
    SLUICE_NAPI(env, napi_is_exception_pending(env, &pending));
    if (!pending) {
      SLUICE_NAPI(env, napi_throw_type_error(env, "SLUICE_NATIVE_ARGUMENT", "buffers must be an array of Uint8Array"));
    }
    return false;
  }
  Handle* handle = loop->Find(id);
  if (handle == nullptr) {
    *result = UV_EBADF;
  } else if (list.empty()) {
    *result = UV_EINVAL;
  } else {
    *result = handle->Write(request.get(), list.data(), static_cast<unsigned int>(list.size()));
    if (*result == 0) static_cast<void>(request.release());
  }
  return true;
}

}  // namespace sluice
