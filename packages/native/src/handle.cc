#include "handle.h"

#ifndef _WIN32
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <memory>

#include "acceptor.h"
#include "loop.h"
#include "napi.h"

namespace sluice {

WriteRequest::~WriteRequest() {
  for (napi_ref pin : pins) SLUICE_NAPI(env, napi_delete_reference(env, pin));
}

Handle::Handle(Loop* loop, int32_t id, Kind kind) : loop_(loop), id_(id), kind_(kind), uv_{} {}

int Handle::Init(int fd) {
  int error = 0;
  switch (kind_) {
    case Kind::kTcp:
      error = uv_tcp_init(loop_->uv(), &uv_.tcp);
      break;
    case Kind::kPipe:
      error = uv_pipe_init(loop_->uv(), &uv_.pipe, 0);
      break;
    case Kind::kPoll:
      error = uv_poll_init(loop_->uv(), &uv_.poll, fd);
      break;
  }
  uv_.base.data = this;
  return error;
}

int Handle::Adopt(int fd) { return kind_ == Kind::kTcp ? uv_tcp_open(&uv_.tcp, fd) : uv_pipe_open(&uv_.pipe, fd); }

int Handle::TryListen(int fd, int backlog) {
#ifdef _WIN32
  static_cast<void>(fd);
  static_cast<void>(backlog);
  return 0;
#else
  return listen(fd, backlog) == 0 ? 0 : -errno;
#endif
}

int Handle::BindTcp(const sockaddr* address, unsigned int flags) { return uv_tcp_bind(&uv_.tcp, address, flags); }

// libuv says EINVAL, which would be true of much else.
static bool PathTooLong(const std::string& path) {
#ifdef _WIN32
  return path.size() > 256;
#else
  return path.size() >= sizeof(sockaddr_un::sun_path);
#endif
}

// libuv says EACCES for that, too.
static bool DirectoryMissing(const std::string& path) {
#ifdef _WIN32
  static_cast<void>(path);
  return false;
#else
  const size_t slash = path.rfind('/');
  struct stat found;
  return slash != std::string::npos && stat(path.substr(0, slash + 1).c_str(), &found) != 0 && errno == ENOENT;
#endif
}

int Handle::BindPipe(const std::string& path) {
  if (PathTooLong(path)) return UV_ENAMETOOLONG;
  int error = uv_pipe_bind2(&uv_.pipe, path.data(), path.size(), UV_PIPE_NO_TRUNCATE);
  return error == UV_EACCES && DirectoryMissing(path) ? UV_ENOENT : error;
}

int Handle::Listen(int backlog) {
#ifdef _WIN32
  int error = uv_listen(&uv_.stream, backlog, OnConnection);
#else
  // That an address cannot be had libuv says only here.
  int error = kind_ == Kind::kTcp ? uv_.tcp.delayed_error : 0;
  if (error == 0) error = TryListen(Fd(), backlog);
  if (error == 0) acceptor_ = Acceptor::Watch(loop_, this, Fd(), &error);
#endif
  listening_ = error == 0;
  return error;
}

int Handle::ConnectTcp(const sockaddr* address) {
  auto request = std::make_unique<uv_connect_t>();
  int error = uv_tcp_connect(request.get(), &uv_.tcp, address, OnConnect);
  if (error == 0) request.release();
  return error;
}

int Handle::ConnectPipe(const std::string& path) {
  if (PathTooLong(path)) return UV_ENAMETOOLONG;
  auto request = std::make_unique<uv_connect_t>();
  int error = uv_pipe_connect2(request.get(), &uv_.pipe, path.data(), path.size(), UV_PIPE_NO_TRUNCATE, OnConnect);
  if (error == 0) request.release();
  return error;
}

int Handle::PauseAccept() {
  if (!listening_) return UV_ENOTSUP;
#ifdef _WIN32
  accept_paused_ = true;
  return 0;
#else
  return acceptor_->Pause();
#endif
}

int Handle::ResumeAccept() {
  if (!listening_) return UV_ENOTSUP;
#ifdef _WIN32
  accept_paused_ = false;
  if (accept_held_) {
    accept_held_ = false;
    loop_->Append(AcceptRecord(Accept()));
  }
  return 0;
#else
  return acceptor_->Resume();
#endif
}

int Handle::ReadStart() {
  read_room_ = kNoLimit;
  return StartReading();
}

int Handle::ReadUpTo(int32_t bytes) {
  if (bytes < 1) return UV_EINVAL;
  read_room_ = static_cast<size_t>(bytes);
  return StartReading();
}

int Handle::StartReading() {
  if (!connection()) return UV_ENOTSUP;
  int error = uv_read_start(&uv_.stream, OnAlloc, OnRead);
  return error == UV_EALREADY ? 0 : error;
}

int Handle::ReadStop() { return connection() ? uv_read_stop(&uv_.stream) : UV_ENOTSUP; }

int Handle::TryWrite(const uv_buf_t* buffers, unsigned int count) {
  if (!connection()) return UV_ENOTSUP;
  int result = uv_try_write(&uv_.stream, buffers, count);
  return result == UV_EAGAIN ? 0 : result;
}

int Handle::Write(WriteRequest* request, const uv_buf_t* buffers, unsigned int count) {
  if (!connection()) return UV_ENOTSUP;
  return uv_write(&request->uv, &uv_.stream, buffers, count, OnWrite);
}

int Handle::Shutdown() {
  if (!connection()) return UV_ENOTSUP;
  auto request = std::make_unique<uv_shutdown_t>();
  int error = uv_shutdown(request.get(), &uv_.stream, OnShutdown);
  if (error == 0) request.release();
  return error;
}

int Handle::PollStart(int events) {
  if (kind_ != Kind::kPoll) return UV_ENOTSUP;
  if ((events & ~(UV_READABLE | UV_WRITABLE | UV_DISCONNECT)) != 0) return UV_EINVAL;
  return events == 0 ? uv_poll_stop(&uv_.poll) : uv_poll_start(&uv_.poll, events, OnPoll);
}

void Handle::Close(bool reset) {
  if (closing_) return;
  closing_ = true;
#ifndef _WIN32
  // Before its descriptor is gone.
  if (acceptor_ != nullptr) acceptor_->Close();
#endif
  if (reset && kind_ == Kind::kTcp && !listening_) {
    if (uv_tcp_close_reset(&uv_.tcp, OnClose) == 0) return;
    // libuv refuses while a shutdown is pending, just when a peer that does not read has to be got rid of. The plain
    // close below then does the same; if this fails too (no socket yet), nothing is there to be reset.
    ResetByLinger();
  }
  uv_close(&uv_.base, OnClose);
}

bool Handle::ResetByLinger() {
#ifdef _WIN32
  return false;
#else
  linger option = {1, 0};
  int fd = Fd();
  return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof option) == 0;
#endif
}

void Handle::Abandon() {
  silent_ = true;
  Close(false);
}

int Handle::SocketName(bool peer, sockaddr_storage* address) const {
  if (kind_ != Kind::kTcp) return UV_ENOTSUP;
  int length = sizeof *address;
  auto* name = reinterpret_cast<sockaddr*>(address);
  return peer ? uv_tcp_getpeername(&uv_.tcp, name, &length) : uv_tcp_getsockname(&uv_.tcp, name, &length);
}

int Handle::PipeName(bool peer, std::string* path) const {
  if (kind_ != Kind::kPipe) return UV_ENOTSUP;
  // More than any system's sun_path, and than a Windows pipe name (256).
  path->resize(512);
  size_t length = path->size();
  int error = peer ? uv_pipe_getpeername(&uv_.pipe, path->data(), &length)
                   : uv_pipe_getsockname(&uv_.pipe, path->data(), &length);
  path->resize(error == 0 ? length : 0);
  return error;
}

int Handle::Fd() const {
  uv_os_fd_t fd;
  int error = uv_fileno(&uv_.base, &fd);
  if (error != 0) return error;
#ifdef _WIN32
  return UV_ENOTSUP;
#else
  return fd;
#endif
}

int Handle::SetNoDelay(bool on) { return kind_ == Kind::kTcp ? uv_tcp_nodelay(&uv_.tcp, on) : UV_ENOTSUP; }

int Handle::SetKeepAlive(bool on, unsigned int delay_seconds) {
  return kind_ == Kind::kTcp ? uv_tcp_keepalive(&uv_.tcp, on, delay_seconds) : UV_ENOTSUP;
}

int Handle::SetBufferSize(bool send, int bytes) {
  if (!stream()) return UV_ENOTSUP;
  // For libuv 0 means a question.
  if (bytes <= 0) return UV_EINVAL;
  return send ? uv_send_buffer_size(&uv_.base, &bytes) : uv_recv_buffer_size(&uv_.base, &bytes);
}

void Handle::SetRef(bool on) {
#ifndef _WIN32
  if (acceptor_ != nullptr) acceptor_->SetRef(on);
#endif
  on ? uv_ref(&uv_.base) : uv_unref(&uv_.base);
}

int Handle::Accept() {
#ifdef _WIN32
  return loop_->Open(kind_, -1, [this](Handle* handle) { return uv_accept(&uv_.stream, &handle->uv_.stream); });
#else
  int fd = Acceptor::Accept(Fd());
  if (fd < 0) return fd;
  int accepted = loop_->Open(kind_, -1, [fd](Handle* handle) { return handle->Adopt(fd); });
  if (accepted < 0) close(fd);
  return accepted;
#endif
}

Record Handle::AcceptRecord(int accepted) const {
  if (accepted < 0) return {RecordType::kAcceptError, id_, accepted, 0};
  return {RecordType::kAccept, id_, accepted, 0};
}

// One connection per poll, as libuv has it: those who are connected have their part of each turn.
void Handle::OnAcceptable(int status) {
  int accepted = status < 0 ? status : Accept();
  if (accepted != UV_EAGAIN) loop_->Report(AcceptRecord(accepted));
}

void Handle::OnAlloc(uv_handle_t* uv, size_t, uv_buf_t* buffer) {
  const Handle* self = From(uv);
  *buffer = self->loop_->ReadBuffer();
  if (buffer->len > self->read_room_) buffer->len = static_cast<decltype(buffer->len)>(self->read_room_);
}

void Handle::OnRead(uv_stream_t* uv, ssize_t count, const uv_buf_t* buffer) {
  Handle* self = From(uv);
  // 0: nothing to read after all. ENOBUFS: ReadBuffer had no room; the bytes stay in the kernel, which reports them
  // again after the next delivery.
  if (count == 0 || count == UV_ENOBUFS) return;
  if (count > 0) {
    if (self->read_room_ != kNoLimit) {
      self->read_room_ -= static_cast<size_t>(count);
      if (self->read_room_ == 0) uv_read_stop(uv);
    }
    self->loop_->ReportRead(self->id_, static_cast<size_t>(count));
    return;
  }
  // Up to 1.51 libuv takes a hang-up after a short read for the end, without a read (and so without a buffer).
  if (count == UV_EOF && buffer->base == nullptr) count = self->AskForEnd();
  // Cannot fail: it only forgets the interest.
  uv_read_stop(uv);
  if (count == UV_EOF) {
    self->loop_->Report({RecordType::kEof, self->id_, 0, 0});
  } else {
    self->loop_->Report({RecordType::kReadError, self->id_, static_cast<int32_t>(count), 0});
  }
}

ssize_t Handle::AskForEnd() const {
#ifndef _WIN32
  char byte;
  if (recv(Fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOTSOCK) return -errno;
#endif
  return UV_EOF;
}

void Handle::OnConnection(uv_stream_t* uv, int status) {
  Handle* self = From(uv);
  if (status < 0) {
    self->loop_->Report({RecordType::kAcceptError, self->id_, status, 0});
  } else if (self->accept_paused_) {
    // Not calling uv_accept makes libuv stop listening until it is called.
    self->accept_held_ = true;
  } else {
    self->loop_->Report(self->AcceptRecord(self->Accept()));
  }
}

void Handle::OnConnect(uv_connect_t* request, int status) {
  std::unique_ptr<uv_connect_t> owner(request);
  Handle* self = From(request->handle);
  if (!self->closing_) self->loop_->Report({RecordType::kConnected, self->id_, status, 0});
}

void Handle::OnWrite(uv_write_t* request, int status) {
  Handle* self = From(request->handle);
  // The pins go before JavaScript runs.
  delete static_cast<WriteRequest*>(request->data);
  if (!self->closing_) self->loop_->Report({RecordType::kWritten, self->id_, status, 0});
}

void Handle::OnShutdown(uv_shutdown_t* request, int status) {
  std::unique_ptr<uv_shutdown_t> owner(request);
  Handle* self = From(request->handle);
  if (!self->closing_) self->loop_->Report({RecordType::kShutdown, self->id_, status, 0});
}

void Handle::OnPoll(uv_poll_t* uv, int status, int events) {
  Handle* self = From(uv);
  self->loop_->Report({RecordType::kPoll, self->id_, status < 0 ? status : events, 0});
}

void Handle::OnClose(uv_handle_t* uv) {
  Handle* self = From(uv);
  self->loop_->Closed(self);
}

}  // namespace sluice
