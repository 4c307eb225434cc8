// Watches a listening descriptor and takes its connections.
//
// In place of uv_listen: when a process is out of descriptors, libuv closes one that it keeps spare, turns away with it
// whoever waits, and tells nobody. Here they wait in the kernel, and the error is told. Windows has no such error, and
// listens by libuv.
#ifndef SLUICE_ACCEPTOR_H_
#define SLUICE_ACCEPTOR_H_

#include <uv.h>

namespace sluice {

class Handle;
class Loop;

class Acceptor {
 public:
  // Tells `listener` (Handle::OnAcceptable) whenever `fd` has a connection. Returns nullptr, and the error, on failure.
  static Acceptor* Watch(Loop* loop, Handle* listener, int fd, int* error);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Takes one connection: its descriptor, UV_EAGAIN when there is none after all, or what is wrong with the listener.
  static int Accept(int fd);

  int Pause();
  int Resume();
  // Whether it keeps the process alive, paused or not.
  void SetRef(bool on);
  // Tells nothing any more; the object is gone when libuv has let go of it. The descriptor may be closed at once.
  void Close();

 private:
  Acceptor(Loop* loop, Handle* listener);
  ~Acceptor() = default;

  static void OnPoll(uv_poll_t* uv, int status, int events);
  static void OnClose(uv_handle_t* uv);
  uv_handle_t* base() { return reinterpret_cast<uv_handle_t*>(&poll_); }

  Loop* const loop_;
  Handle* const listener_;
  uv_poll_t poll_{};
};

}  // namespace sluice

#endif  // SLUICE_ACCEPTOR_H_
