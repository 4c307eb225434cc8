#include "acceptor.h"

#ifndef _WIN32

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "loop.h"

namespace sluice {
namespace {

// Of the connection that waited, not of the listener: the next one may be fine.
bool IsOfConnection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
#ifdef ENONET
    case ENONET:
#endif
      return true;
    default:
      return false;
  }
}

int AcceptRaw(int fd) {
#ifdef __linux__
  return accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
  int accepted = accept(fd, nullptr, nullptr);
  if (accepted >= 0) fcntl(accepted, F_SETFD, FD_CLOEXEC);
  return accepted;
#endif
}

}  // namespace

Acceptor::Acceptor(Loop* loop, Handle* listener) : loop_(loop), listener_(listener) { poll_.data = this; }

Acceptor* Acceptor::Watch(Loop* loop, Handle* listener, int fd, int* error) {
  auto* acceptor = new Acceptor(loop, listener);
  *error = uv_poll_init(loop->uv(), &acceptor->poll_, fd);
  if (*error != 0) {
    delete acceptor;
    return nullptr;
  }
  loop->WatcherOpened();
  *error = acceptor->Resume();
  if (*error == 0) return acceptor;
  acceptor->Close();
  return nullptr;
}

int Acceptor::Accept(int fd) {
  int accepted = AcceptRaw(fd);
  if (accepted >= 0) return accepted;
  return IsOfConnection(errno) ? UV_EAGAIN : -errno;
}

int Acceptor::Resume() { return uv_poll_start(&poll_, UV_READABLE, OnPoll); }

// Watched for what a listener never has, it goes on to keep the process alive.
int Acceptor::Pause() { return uv_poll_start(&poll_, UV_DISCONNECT, OnPoll); }

void Acceptor::SetRef(bool on) { on ? uv_ref(base()) : uv_unref(base()); }

void Acceptor::Close() { uv_close(base(), OnClose); }

void Acceptor::OnPoll(uv_poll_t* uv, int status, int events) {
  const auto* self = static_cast<Acceptor*>(uv->data);
  if (status < 0 || (events & UV_READABLE) != 0) self->listener_->OnAcceptable(status);
}

void Acceptor::OnClose(uv_handle_t* uv) {
  const auto* self = static_cast<Acceptor*>(uv->data);
  Loop* loop = self->loop_;
  delete self;
  loop->WatcherClosed();
}

}  // namespace sluice

#endif  // _WIN32
