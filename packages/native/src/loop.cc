#include "loop.h"

#include <utility>

namespace sluice {
namespace {

// For libuv calls that cannot fail as they are made here; if one does, nothing later can be trusted.
void Must(int result, const char* call) {
  if (result != 0) napi_fatal_error(call, NAPI_AUTO_LENGTH, uv_strerror(result), NAPI_AUTO_LENGTH);
}

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { SLUICE_NAPI(env, napi_open_handle_scope(env, &scope_)); }
  ~HandleScope() { SLUICE_NAPI(env_, napi_close_handle_scope(env_, scope_)); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace

bool CompatibleUv() {
  return uv_version() >> 16 == UV_VERSION_MAJOR && uv_handle_size(UV_TCP) <= sizeof(uv_tcp_t) &&
         uv_handle_size(UV_NAMED_PIPE) <= sizeof(uv_pipe_t) && uv_handle_size(UV_POLL) <= sizeof(uv_poll_t) &&
         uv_handle_size(UV_CHECK) <= sizeof(uv_check_t) && uv_handle_size(UV_IDLE) <= sizeof(uv_idle_t) &&
         uv_req_size(UV_WRITE) <= sizeof(uv_write_t) && uv_req_size(UV_CONNECT) <= sizeof(uv_connect_t) &&
         uv_req_size(UV_SHUTDOWN) <= sizeof(uv_shutdown_t);
}

Loop::Loop(napi_env env, uv_loop_t* uv, const Views& views)
    : env_(env), uv_(uv), scratch_(views.scratch), counters_(reinterpret_cast<double*>(views.counters.data)) {
  slab_.Init(views.slab);
  records_.Init(reinterpret_cast<int32_t*>(views.records.data),
                views.records.length / (kRecordLength * sizeof(int32_t)));
}

Loop* Loop::Create(napi_env env, napi_value self, const Views& views, napi_value deliver) {
  uv_loop_t* uv = nullptr;
  SLUICE_NAPI(env, napi_get_uv_event_loop(env, &uv));
  auto* loop = new Loop(env, uv, views);
  if (!loop->Own(self, deliver)) {
    delete loop;
    return nullptr;
  }
  loop->StartWatchers();
  return loop;
}

// The only step that may fail (with a JavaScript error pending) comes first.
bool Loop::Own(napi_value self, napi_value deliver) {
  if (napi_wrap(env_, self, this, OnCollected, nullptr, nullptr) != napi_ok) return false;
  owned_by_js_ = true;
  SLUICE_NAPI(env_, napi_create_reference(env_, self, 0, &self_));
  SLUICE_NAPI(env_, napi_create_reference(env_, deliver, 0, &deliver_));
  SLUICE_NAPI(env_, napi_async_init(env_, nullptr, String(env_, "SLUICE_LOOP"), &context_));
  SLUICE_NAPI(env_, napi_add_async_cleanup_hook(env_, OnCleanup, this, &hook_));
  return true;
}

void Loop::StartWatchers() {
  Must(uv_check_init(uv_, &check_), "uv_check_init");
  Must(uv_idle_init(uv_, &idle_), "uv_idle_init");
  watchers_ = 2;
  check_.data = this;
  idle_.data = this;
  Must(uv_check_start(&check_, OnCheck), "uv_check_start");
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
}

Handle* Loop::Find(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= handles_.size()) return nullptr;
  Handle* handle = handles_[static_cast<size_t>(id)].get();
  return handle != nullptr && !handle->closing() ? handle : nullptr;
}

Handle* Loop::Make(Kind kind, int fd, int* error) {
  if (destroyed_) {
    *error = UV_ECANCELED;
    return nullptr;
  }
  int32_t id;
  if (free_.empty()) {
    id = static_cast<int32_t>(handles_.size());
    handles_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  if (used_++ == 0) SLUICE_NAPI(env_, napi_reference_ref(env_, self_, nullptr));
  auto handle = std::make_unique<Handle>(this, id, kind);
  *error = handle->Init(fd);
  if (*error != 0) {
    Release(id);
    return nullptr;
  }
  open_++;
  auto& slot = handles_[static_cast<size_t>(id)];
  slot = std::move(handle);
  return slot.get();
}

void Loop::Release(int32_t id) {
  free_.push_back(id);
  if (--used_ == 0) SLUICE_NAPI(env_, napi_reference_unref(env_, self_, nullptr));
}

uv_buf_t Loop::ReadBuffer() const { return records_.full() ? uv_buf_init(nullptr, 0) : slab_.Next(); }

void Loop::ReportRead(int32_t id, size_t length) {
  size_t offset = slab_.Take(length);
  counters_[Counter::kReads] += 1;
  counters_[Counter::kBytesRead] += static_cast<double>(length);
  Append({RecordType::kRead, id, static_cast<int32_t>(offset), static_cast<int32_t>(length)});
  if (records_.full() || slab_.low()) Deliver();
}

void Loop::Report(const Record& record) {
  Append(record);
  if (records_.full()) Deliver();
}

// Only ever called for open handles, so never after Destroy.
void Loop::Append(const Record& record) {
  records_.Append(record);
  Must(uv_idle_start(&idle_, OnIdle), "uv_idle_start");
}

void Loop::Closed(Handle* handle) {
  const int32_t id = handle->id();
  const bool silent = handle->silent();
  handles_[static_cast<size_t>(id)].reset();
  open_--;
  if (destroyed_) {
    Disown();
  } else if (silent) {
    Release(id);
  } else {
    Report({RecordType::kClosed, id, 0, 0});
  }
}

void Loop::Deliver() {
  // A nested run of the event loop (some packages make one) must not deliver into a delivery.
  if (delivering_ || records_.empty()) return;
  const size_t count = records_.Begin();
  counters_[Counter::kDeliveries] += 1;
  counters_[Counter::kRecords] += static_cast<double>(count);
  delivering_ = true;
  deliveries_++;
  CallDeliver(count);
  delivering_ = false;
  // The numbers of a destroyed loop are not given out again.
  if (destroyed_) return;
  slab_.Reset();
  std::vector<int32_t> freed;
  records_.End(&freed);
  for (int32_t id : freed) Release(id);
  if (records_.empty()) Must(uv_idle_stop(&idle_), "uv_idle_stop");
}

void Loop::CallDeliver(size_t count) {
  HandleScope scope(env_);
  napi_value self = nullptr;
  napi_value deliver = nullptr;
  SLUICE_NAPI(env_, napi_get_reference_value(env_, self_, &self));
  SLUICE_NAPI(env_, napi_get_reference_value(env_, deliver_, &deliver));
  napi_value argument = Int(env_, static_cast<int32_t>(count));
  if (napi_make_callback(env_, context_, self, deliver, 1, &argument, nullptr) == napi_ok) return;
  // `deliver` threw, or the environment is stopping. As with any callback from the loop there is no caller to tell:
  // it is an uncaught exception. A stopping environment has none, and refuses to hear of any.
  bool pending = false;
  SLUICE_NAPI(env_, napi_is_exception_pending(env_, &pending));
  if (!pending) return;
  napi_value error = nullptr;
  SLUICE_NAPI(env_, napi_get_and_clear_last_exception(env_, &error));
  static_cast<void>(napi_fatal_exception(env_, error));
}

void Loop::Destroy() {
  if (destroyed_) return;
  destroyed_ = true;
  records_.Clear();
  for (auto& handle : handles_) {
    if (handle != nullptr) handle->Close(false);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), OnWatcherClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnWatcherClosed);
}

// When libuv has let go of the last handle: gives back what is held of the environment.
void Loop::Disown() {
  if (open_ != 0 || watchers_ != 0) return;
  HandleScope scope(env_);
  SLUICE_NAPI(env_, napi_delete_reference(env_, deliver_));
  SLUICE_NAPI(env_, napi_delete_reference(env_, self_));
  SLUICE_NAPI(env_, napi_async_destroy(env_, context_));
  SLUICE_NAPI(env_, napi_remove_async_cleanup_hook(hook_));
  finished_ = true;
  if (!owned_by_js_) delete this;
}

void Loop::OnCheck(uv_check_t* uv) { static_cast<Loop*>(uv->data)->Deliver(); }

void Loop::WatcherClosed() {
  watchers_--;
  Disown();
}

void Loop::OnWatcherClosed(uv_handle_t* uv) { static_cast<Loop*>(uv->data)->WatcherClosed(); }

void Loop::OnCleanup(napi_async_cleanup_hook_handle, void* data) { static_cast<Loop*>(data)->Destroy(); }

void Loop::OnCollected(napi_env, void* data, void*) {
  auto* self = static_cast<Loop*>(data);
  self->owned_by_js_ = false;
  if (self->finished_) {
    delete self;
  } else {
    self->Destroy();
  }
}

}  // namespace sluice
