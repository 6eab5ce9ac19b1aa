/* Preloaded into a process tree: every attempt to reach a network is refused and noted.

   Unix sockets pass: they do not leave the machine. Covers Python and native code alike, since both
   go through libc. The file named by NO_NETWORK_LOG receives one line for each attempt. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(const char *call, const char *what) {
  const char *path = getenv("NO_NETWORK_LOG");
  char line[256];
  int length = snprintf(line, sizeof line, "%s %s\n", call, what);
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (file >= 0) {
    if (write(file, line, (size_t)length) < 0) abort();
    close(file);
  }
}

static int outside(const struct sockaddr *address) {
  return address && address->sa_family != AF_UNIX && address->sa_family != AF_UNSPEC;
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real) real = dlsym(RTLD_NEXT, "connect");
  if (!outside(address)) return real(fd, address, length);
  char text[64] = "another family";
  if (address->sa_family == AF_INET)
    inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
  if (address->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
  note("connect", text);
  errno = ENETUNREACH;
  return -1;
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length) {
  static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
  if (!real) real = dlsym(RTLD_NEXT, "sendto");
  if (!outside(address)) return real(fd, data, size, flags, address, length);
  note("sendto", "a datagram");
  errno = ENETUNREACH;
  return -1;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  (void)service, (void)hints, (void)found;
  note("getaddrinfo", name ? name : "(none)");
  return EAI_FAIL;
}
