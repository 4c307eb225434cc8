#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fail.h"

/// 127.0.0.1 to 127.0.0.200: closed connections linger, and 28,000 ports of one address last for a second or two.
enum { SOURCE_ADDRESSES = 200 };

/// One suite and one group, so that every server does the same work.
static SSL_CTX* make_context(void) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519") != 1) {
    fail(EXIT_MEASURED_NOTHING, "OpenSSL gives no TLS 1.3 client");
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // it would make sessions good for one time only
  return context;
}

struct target target_make(const char* host, uint16_t port, bool tls) {
  struct target target = {.tls = tls ? make_context() : NULL, .poll = epoll_create1(EPOLL_CLOEXEC)};
  target.address.sin_family = AF_INET;
  target.address.sin_port = htons(port);
  if (inet_pton(AF_INET, host, &target.address.sin_addr) != 1) fail(EXIT_USAGE, "%s is no numeric IPv4 address", host);
  if (target.poll < 0) fail(EXIT_MEASURED_NOTHING, "epoll_create1: %s", strerror(errno));
  return target;
}

static int failed_errno(struct connection* connection, const char* operation, int error) {
  snprintf(connection->failure, sizeof connection->failure, "%s: %s", operation, strerror(error));
  return IO_FAILED;
}

/// Loopback has many addresses; take one for each connection in turn. Elsewhere the kernel chooses.
static void spread(int fd, const struct target* target, unsigned index) {
  if (ntohl(target->address.sin_addr.s_addr) >> 24 != 127) return;
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl((127u << 24) + 1 + index % SOURCE_ADDRESSES);
  bind(fd, (struct sockaddr*)&source, sizeof source);
}

/// The segments of loopback have 64 KiB, and buffers on both sides grow to megabytes with them; Ethernet's have 1460
/// bytes.
static void make_narrow(int fd) {
  int segment_bytes = 1460;
  int window_bytes = 16 << 10;
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof segment_bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof window_bytes);
}

static bool start_tls(struct connection* connection, const struct target* target) {
  connection->ssl = SSL_new(target->tls);
  if (connection->ssl == NULL || SSL_set_fd(connection->ssl, connection->fd) != 1) return false;
  SSL_set_tlsext_host_name(connection->ssl, "localhost");
  SSL_set_connect_state(connection->ssl);
  return true;
}

bool connection_open(struct connection* connection, const struct target* target, unsigned index, void* tag) {
  SSL_SESSION* session = connection->session;
  *connection = (struct connection){.session = session};
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection->fd < 0) return failed_errno(connection, "socket", errno), false;
  int on = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (target->narrow) make_narrow(connection->fd);
  spread(connection->fd, target, index);
  if (connect(connection->fd, (const struct sockaddr*)&target->address, sizeof target->address) != 0 &&
      errno != EINPROGRESS) {
    failed_errno(connection, "connect", errno);
    connection_close(connection);
    return false;
  }
  if (target->tls != NULL && !start_tls(connection, target)) fail(EXIT_MEASURED_NOTHING, "OpenSSL is out of memory");
  connection->interest = EPOLLIN | EPOLLOUT;
  connection->blocked = true;
  struct epoll_event event = {.events = connection->interest, .data.ptr = tag};
  epoll_ctl(target->poll, EPOLL_CTL_ADD, connection->fd, &event);
  return true;
}

/// Turns what OpenSSL answered into ours.
static int tls_answer(struct connection* connection, const char* operation, int result) {
  switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
      connection->blocked = true;
      return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
      return IO_END;
    case SSL_ERROR_SYSCALL:
      if (errno != 0) return failed_errno(connection, operation, errno);
      return IO_END;
    default: {
      unsigned long code = ERR_get_error();
      snprintf(connection->failure, sizeof connection->failure, "%s: %s", operation, ERR_reason_error_string(code));
      ERR_clear_error();
      return IO_FAILED;
    }
  }
}

int connection_establish(struct connection* connection) {
  if (!connection->connected) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed_errno(connection, "connect", error);
    connection->connected = true;
  }
  connection->blocked = false;
  if (connection->ssl != NULL) {
    errno = 0;
    int result = SSL_do_handshake(connection->ssl);
    if (result != 1) {
      int answer = tls_answer(connection, "handshake", result);
      if (answer == IO_END) return failed_errno(connection, "handshake", ECONNRESET);
      return answer;
    }
  }
  connection->ready = true;
  return 1;
}

ssize_t connection_receive(struct connection* connection, void* bytes, size_t size) {
  if (connection->ssl != NULL) {
    errno = 0;
    int got = SSL_read(connection->ssl, bytes, (int)size);
    return got > 0 ? got : tls_answer(connection, "read", got);
  }
  ssize_t got = recv(connection->fd, bytes, size, 0);
  if (got >= 0) return got;
  return errno == EAGAIN ? IO_AGAIN : failed_errno(connection, "read", errno);
}

ssize_t connection_send(struct connection* connection, const void* bytes, size_t size) {
  connection->blocked = false;
  if (connection->ssl != NULL) {
    errno = 0;
    int sent = SSL_write(connection->ssl, bytes, (int)size);
    if (sent > 0) return sent;
    int answer = tls_answer(connection, "write", sent);
    return answer == IO_END ? failed_errno(connection, "write", EPIPE) : answer;
  }
  ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  if (errno != EAGAIN) return failed_errno(connection, "write", errno);
  connection->blocked = true;
  return IO_AGAIN;
}

void connection_watch(struct connection* connection, const struct target* target, void* tag) {
  uint32_t wanted = EPOLLIN | (connection->blocked ? (uint32_t)EPOLLOUT : 0);
  if (wanted == connection->interest) return;
  connection->interest = wanted;
  struct epoll_event event = {.events = wanted, .data.ptr = tag};
  epoll_ctl(target->poll, EPOLL_CTL_MOD, connection->fd, &event);
}

void connection_end(struct connection* connection) {
  if (connection->ssl != NULL) {
    if (connection->session == NULL) connection->session = SSL_get1_session(connection->ssl);
    SSL_shutdown(connection->ssl);
  }
  shutdown(connection->fd, SHUT_WR);
}

void connection_close(struct connection* connection) {
  SSL_free(connection->ssl);
  connection->ssl = NULL;
  if (connection->fd >= 0) close(connection->fd);
  connection->fd = -1;
  connection->ready = false;
  ERR_clear_error();
}
