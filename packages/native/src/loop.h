// The native half of an event loop: a table of handles, and the delivery of what happens to them.
//
// Ownership. A Loop has two owners: its JavaScript object, and libuv (as long as any of its uv handles exists). It is
// deleted by whichever lets go last.
// - The typed arrays and the `deliver` function are held by the JavaScript object, and native code refers to that
// object
//   strongly while any handle number is in use, weakly otherwise. So a Loop with open handles lives on although
//   JavaScript has lost sight of it, as Node's own servers do, and one without handles is garbage like any other
//   object.
// - The data pointers of the typed arrays are cached: the arrays must not be detached, transferred or resized.
// - `destroy()`, the garbage collector, and the end of the environment (an exiting process, a terminated worker) all
// end
//   in Destroy: every uv handle is closed, nothing is delivered any more, and in the last close callback everything
//   that is held of the environment is given back. The environment waits for that (an async cleanup hook).
//
// JavaScript runs only in Deliver. It may close any handle there, the current callback's included, and destroy the
// loop: uv handles stay valid memory until their close callbacks, which libuv never runs from inside another callback.
#ifndef SLUICE_LOOP_H_
#define SLUICE_LOOP_H_

#include <node_api.h>
#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "handle.h"
#include "napi.h"
#include "records.h"
#include "slab.h"

namespace sluice {

class Loop {
 public:
  // What JavaScript lends for the loop's life.
  struct Views {
    Bytes slab;
    Bytes scratch;
    Bytes records;
    Bytes counters;
  };

  // The loop belongs to `self` from here on. Returns nullptr with a JavaScript error pending when that is not possible.
  static Loop* Create(napi_env env, napi_value self, const Views& views, napi_value deliver);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* uv() const { return uv_; }
  Bytes slab() const { return slab_.bytes(); }
  Bytes scratch() const { return scratch_; }
  double* counters() const { return counters_; }
  // Counts from 1: which delivery the records that are gathered now belong to.
  uint64_t deliveries() const { return deliveries_; }
  // uv handles whose close callback has not run.
  size_t open() const { return open_; }

  // The open handle of that number; nullptr for numbers never given out, closing or closed.
  Handle* Find(int32_t id) const;

  // Makes a handle and lets `start(Handle*)` begin its work. Returns its number, or the negative error number of
  // whichever step failed; then nothing is left of the handle.
  template <typename Start>
  int Open(Kind kind, int fd, Start start) {
    int error = 0;
    Handle* handle = Make(kind, fd, &error);
    if (handle == nullptr) return error;
    error = start(handle);
    if (error == 0) return handle->id();
    handle->Abandon();
    return error;
  }

  // For libuv's callbacks: where the next read may go (nowhere while there is no room for its record).
  uv_buf_t ReadBuffer() const;
  void ReportRead(int32_t id, size_t length);
  // Appends, and delivers when there is no room for another record. May run JavaScript.
  void Report(const Record& record);
  void Closed(Handle* handle);
  // A libuv handle beside those of the table: the loop waits for it, too.
  void WatcherOpened() { watchers_++; }
  void WatcherClosed();

  // Appends for the next delivery. Never runs JavaScript, so it may be called by it.
  void Append(const Record& record);

  void Destroy();

 private:
  Loop(napi_env env, uv_loop_t* uv, const Views& views);
  ~Loop() = default;

  bool Own(napi_value self, napi_value deliver);
  void StartWatchers();
  Handle* Make(Kind kind, int fd, int* error);
  void Release(int32_t id);
  void Deliver();
  void CallDeliver(size_t count);
  void Disown();

  static void OnCheck(uv_check_t* uv);
  static void OnIdle(uv_idle_t*) {}
  static void OnWatcherClosed(uv_handle_t* uv);
  static void OnCleanup(napi_async_cleanup_hook_handle, void* data);
  static void OnCollected(napi_env, void* data, void*);

  const napi_env env_;
  uv_loop_t* const uv_;
  Slab slab_;
  const Bytes scratch_;
  double* const counters_;
  RecordQueue records_;

  // By number. Empty: the number is free, or its `closed` record is not delivered yet.
  std::vector<std::unique_ptr<Handle>> handles_;
  std::vector<int32_t> free_;
  size_t open_ = 0;
  // Numbers that are not free.
  size_t used_ = 0;

  // Delivers at the end of each poll. Never keeps the process alive.
  uv_check_t check_;
  // Active exactly while records wait: keeps libuv from blocking, and the process from exiting, before they are
  // delivered. Records that appear after the check (closing comes last in a turn) depend on it.
  uv_idle_t idle_;
  int watchers_ = 0;

  napi_ref self_ = nullptr;
  napi_ref deliver_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;

  bool destroyed_ = false;
  bool delivering_ = false;
  uint64_t deliveries_ = 1;
  // The JavaScript object exists.
  bool owned_by_js_ = false;
  // libuv has let go of everything.
  bool finished_ = false;
};

// Whether the running libuv lays its handles out as the headers that this was compiled with say.
bool CompatibleUv();

// Adds the constructor `Loop` to the exports.
void ExportLoop(napi_env env, napi_value exports);

}  // namespace sluice

#endif  // SLUICE_LOOP_H_
