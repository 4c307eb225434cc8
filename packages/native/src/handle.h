// One libuv handle (TCP, pipe or poll), its requests, and its callbacks.
#ifndef SLUICE_HANDLE_H_
#define SLUICE_HANDLE_H_

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <string>
#include <vector>

#include "records.h"

namespace sluice {

class Acceptor;
class Loop;

enum class Kind : uint8_t { kTcp, kPipe, kPoll };

// Buffers that a queued write reads from until libuv is done with it. Owned by libuv in between.
struct WriteRequest {
  uv_write_t uv;
  napi_env env;
  // One strong reference per ArrayBuffer.
  std::vector<napi_ref> pins;

  explicit WriteRequest(napi_env environment) : uv{}, env(environment) { uv.data = this; }
  ~WriteRequest();
  WriteRequest(const WriteRequest&) = delete;
  WriteRequest& operator=(const WriteRequest&) = delete;
};

// Owned by the loop's table from Loop::Open until libuv's close callback. Methods return 0 or a negative libuv error
// number unless they say otherwise; none of them runs JavaScript. A method that makes no sense for the handle's kind
// returns UV_ENOTSUP.
class Handle {
 public:
  Handle(Loop* loop, int32_t id, Kind kind);
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  int32_t id() const { return id_; }
  Kind kind() const { return kind_; }
  bool closing() const { return closing_; }
  // No record tells of it, because JavaScript never got to know its number.
  bool silent() const { return silent_; }

  // Makes the libuv handle; on failure the object may simply be deleted. `fd` is for polls only.
  int Init(int fd);
  int Adopt(int fd);
  // Makes a bound socket listen before anybody owns it, so that a failing call leaves it with its caller.
  static int TryListen(int fd, int backlog);
  int BindTcp(const sockaddr* address, unsigned int flags);
  int BindPipe(const std::string& path);
  int Listen(int backlog);
  int ConnectTcp(const sockaddr* address);
  int ConnectPipe(const std::string& path);

  int PauseAccept();
  int ResumeAccept();
  int ReadStart();
  // Reads until `bytes` have come, then stops by itself.
  int ReadUpTo(int32_t bytes);
  int ReadStop();
  // Writes without waiting: the count of bytes taken, 0 when none could be.
  int TryWrite(const uv_buf_t* buffers, unsigned int count);
  // On success libuv owns the request.
  int Write(WriteRequest* request, const uv_buf_t* buffers, unsigned int count);
  int Shutdown();
  int PollStart(int events);

  // Idempotent. The loop hears of it from libuv's close callback.
  void Close(bool reset);
  // Closes a handle that JavaScript never got to know.
  void Abandon();

  // Local name, or the peer's.
  int SocketName(bool peer, sockaddr_storage* address) const;
  int PipeName(bool peer, std::string* path) const;
  // The file descriptor, or a negative error number.
  int Fd() const;
  int SetNoDelay(bool on);
  int SetKeepAlive(bool on, unsigned int delay_seconds);
  int SetBufferSize(bool send, int bytes);
  void SetRef(bool on);

  // From the acceptor: a connection waits, or the listener failed.
  void OnAcceptable(int status);

 private:
  static constexpr size_t kNoLimit = SIZE_MAX;

  static Handle* From(const void* uv) { return static_cast<Handle*>(static_cast<const uv_handle_t*>(uv)->data); }
  static void OnAlloc(uv_handle_t* uv, size_t suggested, uv_buf_t* buffer);
  static void OnRead(uv_stream_t* uv, ssize_t count, const uv_buf_t* buffer);
  static void OnConnection(uv_stream_t* uv, int status);
  static void OnConnect(uv_connect_t* request, int status);
  static void OnWrite(uv_write_t* request, int status);
  static void OnShutdown(uv_shutdown_t* request, int status);
  static void OnPoll(uv_poll_t* uv, int status, int events);
  static void OnClose(uv_handle_t* uv);

  bool stream() const { return kind_ != Kind::kPoll; }
  // A stream that carries bytes, as opposed to a listener or a poll.
  bool connection() const { return stream() && !listening_; }
  // Gives the connection that waits a handle. Returns its number, or a negative error number.
  int Accept();
  Record AcceptRecord(int accepted) const;
  int StartReading();
  bool ResetByLinger();
  // What the kernel says of the end of reading: UV_EOF, or the error number of a reset.
  ssize_t AskForEnd() const;

  Loop* const loop_;
  const int32_t id_;
  const Kind kind_;
  bool closing_ = false;
  bool silent_ = false;
  bool listening_ = false;
  bool accept_paused_ = false;
  // libuv has accepted a connection that waits for ResumeAccept. Only on Windows.
  bool accept_held_ = false;
  // Takes a listener's connections; libuv's to free once it is closed. Not on Windows.
  Acceptor* acceptor_ = nullptr;
  // The delivery (Loop::deliveries) whose read this connection has had.
  uint64_t read_in_delivery_ = 0;
  // What may be read before reading stops by itself; kNoLimit for all there is.
  size_t read_room_ = kNoLimit;
  union {
    uv_handle_t base;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    uv_poll_t poll;
  } uv_;
};

}  // namespace sluice

#endif  // SLUICE_HANDLE_H_
