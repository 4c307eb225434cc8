// libevent's bufferevents as its users write them: plain, and over OpenSSL with --cert and --key.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITE_HIGH_BYTES = 64 << 10, WRITE_LOW_BYTES = 16 << 10, BACKLOG = 4096 };

__attribute__((noreturn)) static void fail(const char* what) {
  fprintf(stderr, "libevent-echo: %s\n", what);
  exit(2);
}

__attribute__((noreturn)) static void stop(int signal) {
  (void)signal;
  _exit(0);
}

static void on_read(struct bufferevent* bev, void* context) {
  (void)context;
  struct evbuffer* output = bufferevent_get_output(bev);
  evbuffer_add_buffer(output, bufferevent_get_input(bev));
  if (evbuffer_get_length(output) >= WRITE_HIGH_BYTES) bufferevent_disable(bev, EV_READ);
}

static void on_drained(struct bufferevent* bev, void* context) {
  (void)context;
  if ((bufferevent_get_enabled(bev) & EV_READ) == 0) bufferevent_enable(bev, EV_READ);
}

static void on_event(struct bufferevent* bev, short what, void* context) {
  (void)context;
  if ((what & BEV_EVENT_CONNECTED) != 0) return;
  SSL* ssl = bufferevent_openssl_get_ssl(bev);
  if (ssl != NULL && (what & BEV_EVENT_EOF) != 0) SSL_shutdown(ssl);
  bufferevent_free(bev);
}

static void on_accept(struct evconnlistener* listener, evutil_socket_t fd, struct sockaddr* address, int size,
                      void* context) {
  (void)address;
  (void)size;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct event_base* base = evconnlistener_get_base(listener);
  SSL_CTX* tls = context;
  struct bufferevent* bev = tls == NULL ? bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)
                                        : bufferevent_openssl_socket_new(
                                              base, fd, SSL_new(tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (bev == NULL) fail("out of memory");
  bufferevent_setcb(bev, on_read, on_drained, on_event, NULL);
  bufferevent_setwatermark(bev, EV_WRITE, WRITE_LOW_BYTES, 0);
  bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static SSL_CTX* make_context(const char* cert, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, cert) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    fail("cannot use the certificate or its key");
  }
  static const unsigned char session_context[] = "echo";
  SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

int main(int argc, char** argv) {
  signal(SIGTERM, stop);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  uint16_t port = 0;
  const char* cert = NULL;
  const char* key = NULL;
  for (int index = 1; index + 1 < argc; index += 2) {
    if (strcmp(argv[index], "--port") == 0) port = (uint16_t)atoi(argv[index + 1]);
    if (strcmp(argv[index], "--cert") == 0) cert = argv[index + 1];
    if (strcmp(argv[index], "--key") == 0) key = argv[index + 1];
  }
  SSL_CTX* tls = cert == NULL ? NULL : make_context(cert, key);
  struct event_base* base = event_base_new();
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct evconnlistener* listener =
      evconnlistener_new_bind(base, on_accept, tls, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, BACKLOG,
                              (struct sockaddr*)&address, sizeof address);
  if (listener == NULL) fail("cannot listen");
  socklen_t size = sizeof address;
  getsockname(evconnlistener_get_fd(listener), (struct sockaddr*)&address, &size);
  printf("LISTENING %d\n", ntohs(address.sin_port));
  fflush(stdout);
  event_base_dispatch(base);
  return 0;
}
