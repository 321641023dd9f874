/* What glibc has had since 2.28 under names or versions that it hadn't before, by what it had: linked into the wheel's module,
   seen by nothing else. `python/tools/glibc_2_28.py` compiles it. */

#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FIRST "GLIBC_2.2.5"
#define STAT_VERSION 1
#elif defined(__aarch64__)
#define FIRST "GLIBC_2.17"
#define STAT_VERSION 0
#else
#error "which version of glibc was the first on this processor?"
#endif

/* Since 2.33 the three are functions of the library; before, they were inline calls of these. */
extern int __xstat64(int version, const char *path, struct stat64 *out);
extern int __lxstat64(int version, const char *path, struct stat64 *out);
extern int __fxstat64(int version, int file, struct stat64 *out);

int stat64(const char *path, struct stat64 *out) {
    return __xstat64(STAT_VERSION, path, out);
}

int lstat64(const char *path, struct stat64 *out) {
    return __lxstat64(STAT_VERSION, path, out);
}

int fstat64(int file, struct stat64 *out) {
    return __fxstat64(STAT_VERSION, file, out);
}

/* Since 2.30; Rust's standard library asks for it weakly, and a version that is missing is refused all the same. */
pid_t gettid(void) {
    return (pid_t)syscall(SYS_gettid);
}

/* Since 2.29 these don't call a program's own handler of mathematical errors, which nobody has. */
extern double first_log(double);
extern double first_pow(double, double);
__asm__(".symver first_log, log@" FIRST);
__asm__(".symver first_pow, pow@" FIRST);

double log(double x) {
    return first_log(x);
}

double pow(double x, double y) {
    return first_pow(x, y);
}
