/* Faults between a program and its files, for the crash matrix: loaded before the C library (LD_PRELOAD).
 *
 * Every write, sync, truncation and removal of a file below the armed folder is an event. At the chosen one the process
 * is killed, or loses its power, or the call fails. A process that is not armed, and any other file, is left alone. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT, KILL, POWER, IO_ONCE, FULL_FROM };

/* What is kept or lost by itself when the power goes. */
#define SECTOR 512

/* A change of a file that no sync has followed yet: what was there, what is there now. */
struct change {
  struct change *older;
  char path[PATH_MAX];
  off_t at, size_before;
  size_t old_length, new_length;
  unsigned char *old_bytes, *new_bytes;
  int truncates;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int mode, armed;
static long events, chosen;
static uint64_t dice;
static char folder[PATH_MAX];
static size_t folder_length;
static struct change *newest;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void find_real(void) {
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
}

static unsigned roll(void) {
  dice = dice * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(dice >> 33);
}

/* From here on faults may happen: at event `at`, counted from 1. */
void sealite_faults_arm(const char *below, int how, long at, uint64_t seed) {
  pthread_mutex_lock(&lock);
  snprintf(folder, sizeof folder, "%s/", below);
  folder_length = strlen(folder);
  mode = how;
  events = 0;
  chosen = at;
  dice = seed * 2654435761u + 1;
  armed = 1;
  pthread_mutex_unlock(&lock);
}

/* The number of events since it was armed. */
long sealite_faults_disarm(void) {
  pthread_mutex_lock(&lock);
  armed = 0;
  long seen = events;
  pthread_mutex_unlock(&lock);
  return seen;
}

static int is_below(const char *path) { return strncmp(path, folder, folder_length) == 0; }

static int path_of(int file, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

/* What survives: of each change since its file's last sync some sectors, whichever. */
static void lose_power(void) {
  for (struct change *c = newest; c; c = c->older) {
    int file = open(c->path, O_WRONLY);
    if (file < 0) continue;
    if (c->old_length) real_pwrite(file, c->old_bytes, c->old_length, c->at);
    real_ftruncate(file, c->size_before);
    close(file);
  }
  struct change *oldest = NULL;
  while (newest) {
    struct change *next = newest->older;
    newest->older = oldest;
    oldest = newest;
    newest = next;
  }
  /* By now linked the other way round. */
  for (struct change *c = oldest; c; c = c->older) {
    int file = open(c->path, O_WRONLY);
    if (file < 0) continue;
    if (c->truncates) {
      if (roll() & 1) real_ftruncate(file, c->at);
    } else {
      size_t done = 0;
      while (done < c->new_length) {
        size_t length = SECTOR - (size_t)((c->at + (off_t)done) % SECTOR);
        if (length > c->new_length - done) length = c->new_length - done;
        if (roll() & 1) real_pwrite(file, c->new_bytes + done, length, c->at + (off_t)done);
        done += length;
      }
    }
    close(file);
  }
}

/* Counts an event: 0 to go on, else the error that the call fails with. `half` does a part of it before a kill. */
static int event(int takes_space, void (*half)(void *), void *argument) {
  if (mode == FULL_FROM && !takes_space) return 0;
  events++;
  if (mode == FULL_FROM) return events >= chosen ? ENOSPC : 0;
  if (mode == COUNT || events != chosen) return 0;
  if (mode == IO_ONCE) return EIO;
  if (mode == KILL && half && (roll() & 1)) half(argument);
  if (mode == POWER) lose_power();
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static struct change *remember(int file, const char *path, off_t at, size_t old_length) {
  struct stat about;
  size_t length = strlen(path);
  /* The index of the log is memory. What has no name is gone with the power. */
  if (mode != POWER || fstat(file, &about) != 0 || about.st_nlink == 0) return NULL;
  if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return NULL;
  struct change *c = calloc(1, sizeof *c);
  snprintf(c->path, sizeof c->path, "%s", path);
  c->at = at;
  c->size_before = about.st_size;
  if (at < about.st_size) {
    size_t there = (size_t)(about.st_size - at);
    c->old_length = old_length < there ? old_length : there;
    c->old_bytes = malloc(c->old_length);
    ssize_t got = pread(file, c->old_bytes, c->old_length, at);
    if (got < 0 || (size_t)got != c->old_length) abort();
  }
  c->older = newest;
  newest = c;
  return c;
}

static void synced(const char *path) {
  struct change **link = &newest;
  while (*link) {
    struct change *c = *link;
    if (strcmp(c->path, path) == 0) {
      *link = c->older;
      free(c->old_bytes);
      free(c->new_bytes);
      free(c);
    } else {
      link = &c->older;
    }
  }
}

struct writing {
  int file;
  const void *bytes;
  size_t length;
  off_t at;
};

static void half_write(void *argument) {
  struct writing *w = argument;
  real_pwrite(w->file, w->bytes, w->length / 2, w->at);
}

static ssize_t write_at(int file, const void *bytes, size_t length, off_t at, int moves) {
  char path[PATH_MAX];
  int failure = 0, ours = 0;
  if (armed) {
    pthread_mutex_lock(&lock);
    ours = armed && path_of(file, path);
    if (ours) {
      struct writing w = {file, bytes, length, moves ? lseek(file, 0, SEEK_CUR) : at};
      failure = event(1, half_write, &w);
      struct change *c = failure ? NULL : remember(file, path, w.at, length);
      if (c) {
        c->new_length = length;
        c->new_bytes = malloc(length);
        memcpy(c->new_bytes, bytes, length);
      }
    }
    pthread_mutex_unlock(&lock);
  }
  if (failure) {
    errno = failure;
    return -1;
  }
  return moves ? real_write(file, bytes, length) : real_pwrite(file, bytes, length, at);
}

ssize_t write(int file, const void *bytes, size_t length) { return write_at(file, bytes, length, 0, 1); }
ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return write_at(file, bytes, length, at, 0); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) { return write_at(file, bytes, length, at, 0); }

static int sync_by(int (*real)(int), int file) {
  char path[PATH_MAX];
  int failure = 0;
  if (armed) {
    pthread_mutex_lock(&lock);
    if (armed && path_of(file, path)) {
      failure = event(0, NULL, NULL);
      if (!failure) synced(path);
    }
    pthread_mutex_unlock(&lock);
  }
  if (failure) {
    errno = failure;
    return -1;
  }
  return real(file);
}

int fsync(int file) { return sync_by(real_fsync, file); }
int fdatasync(int file) { return sync_by(real_fdatasync, file); }

static int truncate_to(int file, off_t length) {
  char path[PATH_MAX];
  int failure = 0;
  if (armed) {
    pthread_mutex_lock(&lock);
    if (armed && path_of(file, path)) {
      failure = event(0, NULL, NULL);
      struct change *c = failure ? NULL : remember(file, path, length, SIZE_MAX / 2);
      if (c) c->truncates = 1;
    }
    pthread_mutex_unlock(&lock);
  }
  if (failure) {
    errno = failure;
    return -1;
  }
  return real_ftruncate(file, length);
}

int ftruncate(int file, off_t length) { return truncate_to(file, length); }
int ftruncate64(int file, off64_t length) { return truncate_to(file, length); }

int unlink(const char *path) {
  int failure = 0;
  if (armed) {
    pthread_mutex_lock(&lock);
    if (armed && is_below(path)) failure = event(0, NULL, NULL);
    pthread_mutex_unlock(&lock);
  }
  if (failure) {
    errno = failure;
    return -1;
  }
  return real_unlink(path);
}
