// NativeLoop of binding.ts: reads arguments, calls the loop and its handles, and builds results.
#include <climits>

#include "loop.h"
#include "write.h"

namespace sluice {
namespace {

Loop* Self(napi_env env, napi_value self) {
  void* loop = nullptr;
  if (napi_unwrap(env, self, &loop) == napi_ok) return static_cast<Loop*>(loop);
  SLUICE_NAPI(env, napi_throw_type_error(env, "SLUICE_NATIVE_ARGUMENT", "not a Loop"));
  return nullptr;
}

// A call about one open handle: its receiver, its first argument, and the handle of that number.
template <size_t N>
struct Call {
  Call(napi_env env, napi_callback_info info) : args(env, info) {
    int32_t id = -1;
    loop = Self(env, args.self());
    ok = loop != nullptr && args.Int32(0, &id);
    if (ok) handle = loop->Find(id);
  }
  Args<N> args;
  Loop* loop = nullptr;
  Handle* handle = nullptr;
  bool ok = false;
};

template <int (Handle::*method)()>
napi_value OfHandle(napi_env env, napi_callback_info info) {
  Call<1> call(env, info);
  if (!call.ok) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : (call.handle->*method)());
}

napi_value Fd(napi_env env, napi_callback_info info) {
  Call<1> call(env, info);
  if (!call.ok) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : call.handle->Fd());
}

napi_value SetNoDelay(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  bool on = false;
  if (!call.ok || !call.args.Bool(1, &on)) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : call.handle->SetNoDelay(on));
}

napi_value SetKeepAlive(napi_env env, napi_callback_info info) {
  Call<3> call(env, info);
  bool on = false;
  int32_t delay = 0;
  if (!call.ok || !call.args.Bool(1, &on) || !call.args.Int32(2, &delay)) return nullptr;
  if (call.handle == nullptr) return Int(env, UV_EBADF);
  if (delay < 0) return Int(env, UV_EINVAL);
  return Int(env, call.handle->SetKeepAlive(on, static_cast<unsigned int>(delay)));
}

napi_value ReadUpTo(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  int32_t bytes = 0;
  if (!call.ok || !call.args.Int32(1, &bytes)) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : call.handle->ReadUpTo(bytes));
}

template <bool send>
napi_value SetBufferSize(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  int32_t bytes = 0;
  if (!call.ok || !call.args.Int32(1, &bytes)) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : call.handle->SetBufferSize(send, bytes));
}

napi_value PollStart(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  int32_t events = 0;
  if (!call.ok || !call.args.Int32(1, &events)) return nullptr;
  return Int(env, call.handle == nullptr ? UV_EBADF : call.handle->PollStart(events));
}

napi_value SetRef(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  bool on = false;
  if (!call.ok || !call.args.Bool(1, &on)) return nullptr;
  if (call.handle != nullptr) call.handle->SetRef(on);
  return nullptr;
}

napi_value Close(napi_env env, napi_callback_info info) {
  Call<2> call(env, info);
  bool reset = false;
  if (!call.ok || !call.args.Bool(1, &reset)) return nullptr;
  if (call.handle != nullptr) call.handle->Close(reset);
  return nullptr;
}

// A numeric address. Scope ids (fe80::1%eth0) are part of the text.
int ParseAddress(const std::string& address, int32_t port, sockaddr_storage* out) {
  if (port < 0 || port > USHRT_MAX) return UV_EINVAL;
  if (uv_ip4_addr(address.c_str(), port, reinterpret_cast<sockaddr_in*>(out)) == 0) return 0;
  auto* ip6 = reinterpret_cast<sockaddr_in6*>(out);
  int error = uv_ip6_addr(address.c_str(), port, ip6);
  // libuv ignores interfaces that do not exist.
  if (error == 0 && ip6->sin6_scope_id == 0 && address.find('%') != std::string::npos) return UV_EINVAL;
  return error;
}

napi_value ListenTcp(napi_env env, napi_callback_info info) {
  Args<4> args(env, info);
  Loop* loop = Self(env, args.self());
  std::string address;
  int32_t port = 0;
  int32_t backlog = 0;
  int32_t flags = 0;
  if (loop == nullptr || !args.String(0, &address) || !args.Int32(1, &port) || !args.Int32(2, &backlog) ||
      !args.Int32(3, &flags)) {
    return nullptr;
  }
  sockaddr_storage name{};
  int error = ParseAddress(address, port, &name);
  if (error != 0) return Int(env, error);
  unsigned int bind_flags = 0;
  if ((flags & ListenFlag::kIpv6Only) != 0) bind_flags |= UV_TCP_IPV6ONLY;
  if ((flags & ListenFlag::kReusePort) != 0) bind_flags |= UV_TCP_REUSEPORT;
  return Int(env, loop->Open(Kind::kTcp, -1, [&](Handle* handle) {
    int failed = handle->BindTcp(reinterpret_cast<const sockaddr*>(&name), bind_flags);
    return failed != 0 ? failed : handle->Listen(backlog);
  }));
}

napi_value ListenPipe(napi_env env, napi_callback_info info) {
  Args<2> args(env, info);
  Loop* loop = Self(env, args.self());
  std::string path;
  int32_t backlog = 0;
  if (loop == nullptr || !args.String(0, &path) || !args.Int32(1, &backlog)) return nullptr;
  return Int(env, loop->Open(Kind::kPipe, -1, [&](Handle* handle) {
    int failed = handle->BindPipe(path);
    return failed != 0 ? failed : handle->Listen(backlog);
  }));
}

napi_value ConnectTcp(napi_env env, napi_callback_info info) {
  Args<2> args(env, info);
  Loop* loop = Self(env, args.self());
  std::string address;
  int32_t port = 0;
  if (loop == nullptr || !args.String(0, &address) || !args.Int32(1, &port)) return nullptr;
  sockaddr_storage name{};
  int error = ParseAddress(address, port, &name);
  if (error != 0) return Int(env, error);
  return Int(env, loop->Open(Kind::kTcp, -1, [&](Handle* handle) {
    return handle->ConnectTcp(reinterpret_cast<const sockaddr*>(&name));
  }));
}

napi_value ConnectPipe(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  Loop* loop = Self(env, args.self());
  std::string path;
  if (loop == nullptr || !args.String(0, &path)) return nullptr;
  return Int(env, loop->Open(Kind::kPipe, -1, [&](Handle* handle) { return handle->ConnectPipe(path); }));
}

// Which kind of stream a descriptor is. UV_EBADF when it is none that is open, UV_ENOTSUP when it is no stream socket.
int KindOf(int32_t fd, Kind* kind) {
  if (fd < 0) return UV_EBADF;
  switch (uv_guess_handle(fd)) {
    case UV_TCP:
      *kind = Kind::kTcp;
      return 0;
    case UV_NAMED_PIPE:
      *kind = Kind::kPipe;
      return 0;
    case UV_UNKNOWN_HANDLE:
      return UV_EBADF;
    default:
      return UV_ENOTSUP;
  }
}

napi_value ListenFd(napi_env env, napi_callback_info info) {
  Args<2> args(env, info);
  Loop* loop = Self(env, args.self());
  int32_t fd = -1;
  int32_t backlog = 0;
  if (loop == nullptr || !args.Int32(0, &fd) || !args.Int32(1, &backlog)) return nullptr;
  Kind kind = Kind::kTcp;
  int error = KindOf(fd, &kind);
  if (error == 0) error = Handle::TryListen(fd, backlog);
  if (error != 0) return Int(env, error);
  return Int(env, loop->Open(kind, -1, [&](Handle* handle) {
    int failed = handle->Adopt(fd);
    return failed != 0 ? failed : handle->Listen(backlog);
  }));
}

napi_value OpenFd(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  Loop* loop = Self(env, args.self());
  int32_t fd = -1;
  if (loop == nullptr || !args.Int32(0, &fd)) return nullptr;
  Kind kind = Kind::kTcp;
  int error = KindOf(fd, &kind);
  if (error != 0) return Int(env, error);
  return Int(env, loop->Open(kind, -1, [&](Handle* handle) { return handle->Adopt(fd); }));
}

napi_value PollOpen(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  Loop* loop = Self(env, args.self());
  int32_t fd = -1;
  if (loop == nullptr || !args.Int32(0, &fd)) return nullptr;
  if (fd < 0) return Int(env, UV_EBADF);
  return Int(env, loop->Open(Kind::kPoll, fd, [](Handle*) { return 0; }));
}

napi_value AddressObject(napi_env env, const char* family, napi_value address, int port) {
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_object(env, &result));
  Set(env, result, "family", String(env, family));
  Set(env, result, "address", address);
  Set(env, result, "port", Int(env, port));
  return result;
}

napi_value SocketAddress(napi_env env, const sockaddr_storage& name) {
  char text[INET6_ADDRSTRLEN + 1 + UV_IF_NAMESIZE] = "";
  if (name.ss_family == AF_INET) {
    const auto* ip4 = reinterpret_cast<const sockaddr_in*>(&name);
    int error = uv_ip4_name(ip4, text, sizeof text);
    return error != 0 ? Int(env, error) : AddressObject(env, "IPv4", String(env, text), ntohs(ip4->sin_port));
  }
  const auto* ip6 = reinterpret_cast<const sockaddr_in6*>(&name);
  int error = uv_ip6_name(ip6, text, sizeof text);
  if (error != 0) return Int(env, error);
  std::string address = text;
  // A link-local address means nothing without its interface.
  if (ip6->sin6_scope_id != 0) {
    size_t size = sizeof text;
    if (uv_if_indextoiid(ip6->sin6_scope_id, text, &size) == 0) address.append("%").append(text, size);
  }
  return AddressObject(env, "IPv6", String(env, address.c_str()), ntohs(ip6->sin6_port));
}

template <bool peer>
napi_value NameOf(napi_env env, napi_callback_info info) {
  Call<1> call(env, info);
  if (!call.ok) return nullptr;
  if (call.handle == nullptr) return Int(env, UV_EBADF);
  if (call.handle->kind() == Kind::kTcp) {
    sockaddr_storage name{};
    int error = call.handle->SocketName(peer, &name);
    return error != 0 ? Int(env, error) : SocketAddress(env, name);
  }
  std::string path;
  int error = call.handle->PipeName(peer, &path);
  if (error != 0) return Int(env, error);
  napi_value address = nullptr;
  SLUICE_NAPI(env, napi_create_string_utf8(env, path.data(), path.size(), &address));
  return AddressObject(env, "unix", address, 0);
}

napi_value FlushCall(napi_env env, napi_callback_info info) {
  Args<3> args(env, info);
  Loop* loop = Self(env, args.self());
  Bytes ops;
  int32_t length = 0;
  if (loop == nullptr || !args.Typed(0, napi_int32_array, "an Int32Array", &ops) || !args.Int32(1, &length)) {
    return nullptr;
  }
  if (length < 0 || static_cast<size_t>(length) > ops.length / sizeof(int32_t)) {
    return Throw(env, "flush: opsLength passes the end of ops");
  }
  const char* mistake = Flush(env, loop, reinterpret_cast<int32_t*>(ops.data), static_cast<size_t>(length), args[2]);
  if (mistake == nullptr) return nullptr;
  bool pending = false;
  SLUICE_NAPI(env, napi_is_exception_pending(env, &pending));
  return pending ? nullptr : Throw(env, mistake);
}

napi_value WriteQueuedCall(napi_env env, napi_callback_info info) {
  Args<2> args(env, info);
  Loop* loop = Self(env, args.self());
  int32_t id = -1;
  int result = 0;
  if (loop == nullptr || !args.Int32(0, &id) || !WriteQueued(env, loop, id, args[1], &result)) return nullptr;
  return Int(env, result);
}

napi_value HandleCount(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  Loop* loop = Self(env, args.self());
  return loop == nullptr ? nullptr : Int(env, static_cast<int32_t>(loop->open()));
}

napi_value Destroy(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  Loop* loop = Self(env, args.self());
  if (loop != nullptr) loop->Destroy();
  return nullptr;
}

// Keeps what the loop borrows alive as long as the loop's object, and no longer: `deliver` usually refers to that
// object, and a strong reference from native code would make the cycle immortal.
bool Keep(napi_env env, napi_value self, napi_value (&values)[5]) {
  napi_value list = nullptr;
  SLUICE_NAPI(env, napi_create_array_with_length(env, 5, &list));
  for (uint32_t i = 0; i < 5; i++) SLUICE_NAPI(env, napi_set_element(env, list, i, values[i]));
  napi_property_descriptor property = {"borrowed", nullptr, nullptr, nullptr, nullptr, list, napi_default, nullptr};
  return napi_define_properties(env, self, 1, &property) == napi_ok;
}

napi_value New(napi_env env, napi_callback_info info) {
  Args<5> args(env, info);
  napi_value target = nullptr;
  SLUICE_NAPI(env, napi_get_new_target(env, info, &target));
  if (target == nullptr) return Throw(env, "Loop must be called with new");
  Loop::Views views;
  if (!args.Typed(0, napi_uint8_array, "a Uint8Array", &views.slab) ||
      !args.Typed(1, napi_uint8_array, "a Uint8Array", &views.scratch) ||
      !args.Typed(2, napi_int32_array, "an Int32Array", &views.records) ||
      !args.Typed(3, napi_float64_array, "a Float64Array", &views.counters) || !args.Function(4)) {
    return nullptr;
  }
  if (views.slab.length < Slab::kBytesMin) return Throw(env, "Loop: the slab needs 64 bytes or more");
  if (views.slab.length > INT32_MAX) return Throw(env, "Loop: the slab must be smaller than 2 GiB");
  if (views.records.length < kRecordLength * sizeof(int32_t)) return Throw(env, "Loop: no room for a record");
  if (views.counters.length < Counter::kLength * sizeof(double)) return Throw(env, "Loop: no room for the counters");
  napi_value borrowed[] = {args[0], args[1], args[2], args[3], args[4]};
  if (!Keep(env, args.self(), borrowed)) return nullptr;
  return Loop::Create(env, args.self(), views, args[4]) != nullptr ? args.self() : nullptr;
}

}  // namespace

void ExportLoop(napi_env env, napi_value exports) {
  const auto method = [](const char* name, napi_callback callback) {
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_default, nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("listenTcp", ListenTcp),
      method("listenPipe", ListenPipe),
      method("listenFd", ListenFd),
      method("pauseAccept", OfHandle<&Handle::PauseAccept>),
      method("resumeAccept", OfHandle<&Handle::ResumeAccept>),
      method("connectTcp", ConnectTcp),
      method("connectPipe", ConnectPipe),
      method("openFd", OpenFd),
      method("readStart", OfHandle<&Handle::ReadStart>),
      method("readUpTo", ReadUpTo),
      method("readStop", OfHandle<&Handle::ReadStop>),
      method("flush", FlushCall),
      method("writeQueued", WriteQueuedCall),
      method("shutdown", OfHandle<&Handle::Shutdown>),
      method("close", Close),
      method("localAddress", NameOf<false>),
      method("remoteAddress", NameOf<true>),
      method("fd", Fd),
      method("setNoDelay", SetNoDelay),
      method("setKeepAlive", SetKeepAlive),
      method("setSendBufferSize", SetBufferSize<true>),
      method("setReceiveBufferSize", SetBufferSize<false>),
      method("pollOpen", PollOpen),
      method("pollStart", PollStart),
      method("setRef", SetRef),
      method("handleCount", HandleCount),
      method("destroy", Destroy),
  };
  napi_value constructor = nullptr;
  SLUICE_NAPI(env, napi_define_class(env, "Loop", NAPI_AUTO_LENGTH, New, nullptr, sizeof methods / sizeof *methods,
                                     methods, &constructor));
  Set(env, exports, "Loop", constructor);
}

}  // namespace sluice
