// The least that an echo server can do: one epoll loop, one buffer, no layers. The limit that the others are measured
// by.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM_BYTES = 64 << 10, EVENTS = 512, BACKLOG = 4096 };

/// What the kernel did not take yet; while there is some, nothing more is read.
struct peer {
  int fd;
  size_t offset;
  size_t size;
  char* unsent;
};

static char room[ROOM_BYTES];

__attribute__((noreturn)) static void fail(const char* operation) {
  fprintf(stderr, "epoll-echo: %s: %s\n", operation, strerror(errno));
  exit(2);
}

__attribute__((noreturn)) static void stop(int signal) {
  (void)signal;
  _exit(0);
}

static void watch(int poll, struct peer* peer, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = peer};
  if (epoll_ctl(poll, operation, peer->fd, &event) != 0) fail("epoll_ctl");
}

static void drop(struct peer* peer) {
  close(peer->fd);
  free(peer->unsent);
  free(peer);
}

static void accept_all(int poll, int listener) {
  while (true) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer* peer = calloc(1, sizeof *peer);
    if (peer == NULL) fail("calloc");
    peer->fd = fd;
    watch(poll, peer, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void keep(int poll, struct peer* peer, const char* bytes, size_t size) {
  peer->unsent = malloc(size);
  if (peer->unsent == NULL) fail("malloc");
  memcpy(peer->unsent, bytes, size);
  peer->offset = 0;
  peer->size = size;
  watch(poll, peer, EPOLL_CTL_MOD, EPOLLOUT);
}

static void echo(int poll, struct peer* peer) {
  while (true) {
    ssize_t got = recv(peer->fd, room, sizeof room, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return drop(peer);
    ssize_t sent = send(peer->fd, room, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(peer);
    if (sent < 0) sent = 0;
    if (sent < got) return keep(poll, peer, room + sent, (size_t)(got - sent));
    if (got < (ssize_t)sizeof room) return;
  }
}

static void send_unsent(int poll, struct peer* peer) {
  ssize_t sent = send(peer->fd, peer->unsent + peer->offset, peer->size - peer->offset, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) drop(peer);
    return;
  }
  peer->offset += (size_t)sent;
  if (peer->offset < peer->size) return;
  free(peer->unsent);
  peer->unsent = NULL;
  watch(poll, peer, EPOLL_CTL_MOD, EPOLLIN);
}

static int listen_at(uint16_t port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr*)&address, size) != 0 || listen(listener, BACKLOG) != 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&address, &size);
  printf("LISTENING %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int argc, char** argv) {
  signal(SIGTERM, stop);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  uint16_t port = argc == 3 && strcmp(argv[1], "--port") == 0 ? (uint16_t)atoi(argv[2]) : 0;
  int listener = listen_at(port);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll");
  struct epoll_event events[EVENTS];
  while (true) {
    int count = epoll_wait(poll, events, EVENTS, -1);
    for (int index = 0; index < count; index++) {
      struct peer* peer = events[index].data.ptr;
      if (peer == NULL) {
        accept_all(poll, listener);
      } else if (peer->unsent != NULL) {
        send_unsent(poll, peer);
      } else {
        echo(poll, peer);
      }
    }
  }
}
