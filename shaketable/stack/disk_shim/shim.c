/* A disk that loses power, fills up, becomes slow or fails: loaded by LD_PRELOAD into a server of the local stack.
 * Before a write to a file below SHAKETABLE_DISK_ROOT it appends the bytes that will be overwritten, and the file's
 * size, to the journal SHAKETABLE_DISK/<inode>. A successful fsync or fdatasync covers the records that were there
 * when it began. After a power cut the harness kills the server and restores the uncovered pre-images (journal.py).
 * Metadata counts as durable: a created, renamed, removed, truncated or preallocated file stays so. sync_file_range
 * covers nothing, as its manual says. Writes through stdio and mmap are not seen. The file `control` is shared with
 * the harness (disk.py). If the library itself fails, it sets `broken`, and only passes calls on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FIND(name) (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define REAL(name) ({ static __typeof__(name) *real; real ? real : (real = FIND(name)); })
#define SAME(name) __attribute__((alias(#name)));
#define COUNT(name) __atomic_add_fetch(&disk->name, 1, __ATOMIC_RELAXED)
#define SWAP(where, old, new) __atomic_compare_exchange_n(where, old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define MIN(a, b) ((a) < (b) ? (a) : (b))

enum { WRITTEN = 1, CUT = 2, COVERED = 3, MAGIC = 0x6b736964, OPENED = 64, CHUNK = 65536, VOID = -1 };
enum { REFUSED = -1, UNSEEN, LOCKED, SYNCED }; /* a write; LOCKED: until it is done; SYNCED: then covered, too */
struct record { uint32_t magic, kind; int64_t at, length, size; }; /* `length` bytes follow */
static struct control {
    int32_t full, slow_ms, failing, broken, prepared, unused; /* prepared: 1 while the lock is made, then 2 */
    uint64_t loaded, writes, syncs, refused, delayed, failed;
    pthread_mutex_t lock;
} *disk;
static struct { ino_t inode; int fd; } opened[OPENED]; /* the journals that this process has open; fd 0: none */
static char chunk[CHUNK], *folder, *root;
static struct stat top; /* the root */
static void fail(int why) { int32_t none = 0; SWAP(&disk->broken, &none, why ? why : EIO); }
__attribute__((constructor)) static void load(void) {
    char path[4096];
    const char *in = getenv("SHAKETABLE_DISK"), *below = getenv("SHAKETABLE_DISK_ROOT");
    if (!in || !below || stat(below, &top) || snprintf(path, sizeof path, "%s/control", in) >= (int)sizeof path - 32) return;
    int fd = open(path, O_RDWR | O_CLOEXEC), fresh = 0; /* it stays open */
    struct control *found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (found == MAP_FAILED || !(folder = strdup(in)) || !(root = strdup(below))) return;
    disk = found;
    if (SWAP(&disk->prepared, &fresh, 1)) {
        pthread_mutexattr_t how;
        pthread_mutexattr_init(&how), pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
        pthread_mutexattr_settype(&how, PTHREAD_MUTEX_ERRORCHECK);
        pthread_mutex_init(&disk->lock, &how);
        __atomic_store_n(&disk->prepared, 2, __ATOMIC_SEQ_CST);
    } else if (fresh != 2) fail(EBUSY);
    COUNT(loaded);
}
static int enter(void) { /* a holder that was killed may leave half a record, which the harness finds */
    int why = pthread_mutex_lock(&disk->lock);
    if (why == EOWNERDEAD) why = pthread_mutex_consistent(&disk->lock);
    return why ? fail(why), 0 : 1;
}
#define LEAVE() pthread_mutex_unlock(&disk->lock)

static int tracked(int fd, struct stat *file) { /* a regular file below the root that still has a name */
    char link[40], path[4096];
    if (!disk || disk->broken || fstat(fd, file) || !S_ISREG(file->st_mode) || file->st_dev != top.st_dev) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1), above = strlen(root);
    if (length <= above || memcmp(path, root, above) || path[above] != '/') return 0;
    path[length] = 0;
    return length < 10 || strcmp(path + length - 10, " (deleted)");
}
static int journal(ino_t inode, int make) { /* its descriptor, or -1; under the lock */
    char path[4096];
    int slot = inode % OPENED;
    if (opened[slot].fd && opened[slot].inode == inode) return opened[slot].fd;
    snprintf(path, sizeof path, "%s/%lu", folder, (unsigned long)inode);
    int fd = REAL(open)(path, O_RDWR | O_APPEND | O_CLOEXEC | make, 0600);
    if (fd < 0) return make ? fail(errno), -1 : -1;
    if (opened[slot].fd) close(opened[slot].fd);
    opened[slot].inode = inode;
    return opened[slot].fd = fd;
}
static void append(int to, uint32_t kind, off_t at, size_t length, off_t size) {
    struct record head = {MAGIC, kind, at, length, size};
    struct iovec parts[] = {{&head, sizeof head}, {chunk, length}};
    if (REAL(writev)(to, parts, 2) != (ssize_t)(sizeof head + length)) fail(errno);
}
static void record(int fd, int flags, struct stat *file, off_t at, size_t length) { /* under the lock */
    char link[40];
    size_t old = at < file->st_size ? MIN((size_t)(file->st_size - at), length) : 0, done = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int other = old && (flags & O_ACCMODE) == O_WRONLY, from = other ? REAL(open)(link, O_RDONLY | O_CLOEXEC) : fd, to;
    if (from < 0) fail(errno);
    else if ((to = journal(file->st_ino, O_CREAT)) >= 0) do {
        ssize_t got = old ? pread(from, chunk, MIN(old - done, CHUNK), at + done) : 0;
        if (got < 0 || (old && !got)) fail(errno);
        else append(to, WRITTEN, at + done, got, file->st_size), done += got;
    } while (done < old && !disk->broken);
    if (other && from >= 0) close(from);
}
static off_t size(int fd) { struct stat found; return fstat(fd, &found) ? 0 : found.st_size; }
static void empty(int fd) { /* a journal, whose positions stay: a sync that is under way elsewhere has noted one */
    off_t end = size(fd);
    if (REAL(ftruncate)(fd, 0) || REAL(ftruncate)(fd, end)) fail(errno);
}
static off_t marked(ino_t inode) { /* the length of a journal; 0: nothing was written */
    off_t end = 0;
    if (enter()) end = size(journal(inode, 0)), LEAVE();
    return end;
}
static void cover(ino_t inode, off_t upto) { /* the first `upto` bytes of a journal are covered; VOID: all of it */
    int why = errno, fd;
    if (!upto || !enter()) return;
    if ((fd = journal(inode, 0)) >= 0) upto != VOID && size(fd) > upto ? append(fd, COVERED, upto, 0, 0) : empty(fd);
    LEAVE(), errno = why;
}
static int hindered(void) { /* a sync waits, and may fail */
    struct timespec left = {disk->slow_ms / 1000, disk->slow_ms % 1000 * 1000000L};
    COUNT(syncs);
    if (disk->slow_ms > 0) COUNT(delayed);
    while (disk->slow_ms > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR);
    return disk->failing ? COUNT(failed), errno = EIO, -1 : 0;
}
static int is_full(struct stat *file, off_t end) { return disk->full && end > file->st_size && COUNT(refused); }
static int before(int fd, off_t at, size_t length, struct stat *file) {
    int why = errno;
    if (!length || !tracked(fd, file)) return errno = why, UNSEEN;
    int flags = fcntl(fd, F_GETFL), sync = flags & O_DSYNC;
    COUNT(writes);
    if (sync && hindered()) return REFUSED;
    if (!enter()) return errno = why, UNSEEN;
    fstat(fd, file); /* another writer may have made it longer */
    at = flags & O_APPEND ? file->st_size : at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    if (is_full(file, at + length)) return LEAVE(), errno = ENOSPC, REFUSED;
    record(fd, flags, file, at, length);
    return errno = why, sync ? SYNCED : LOCKED;
}
#define WRITE(at, length, call) { \
    struct stat file; \
    ssize_t how = before(fd, at, length, &file), done = how == REFUSED ? -1 : call; \
    if (how > UNSEEN) LEAVE(); \
    return (how == SYNCED && done > 0) ? cover(file.st_ino, marked(file.st_ino)), done : done; }
static size_t sum(const struct iovec *v, int n) { return n > 0 ? v->iov_len + sum(v + 1, n - 1) : 0; }
ssize_t write(int fd, const void *data, size_t n) WRITE(-1, n, REAL(write)(fd, data, n))
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) WRITE(at, n, REAL(pwrite)(fd, data, n, at))
ssize_t pwrite64(int, const void *, size_t, off64_t) SAME(pwrite)
ssize_t writev(int fd, const struct iovec *v, int n) WRITE(-1, sum(v, n), REAL(writev)(fd, v, n))
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) WRITE(at, sum(v, n), REAL(pwritev)(fd, v, n, at))
ssize_t pwritev64(int, const struct iovec *, int, off64_t) SAME(pwritev)
static int synced(int fd, int (*real)(int)) {
    struct stat file;
    if (!tracked(fd, &file)) return real(fd);
    off_t upto = marked(file.st_ino);
    return hindered() || real(fd) ? -1 : (cover(file.st_ino, upto), 0);
}
int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int ftruncate(int fd, off_t to) {
    struct stat file;
    int held = tracked(fd, &file) && enter(), log = held && to < size(fd) ? journal(file.st_ino, 0) : -1;
    if (log >= 0) append(log, CUT, to, 0, size(fd));
    int done = REAL(ftruncate)(fd, to);
    return held ? LEAVE(), done : done;
}
int ftruncate64(int, off64_t) SAME(ftruncate)
int truncate(const char *path, off_t to) { /* by a descriptor, which shows whether the file is tracked */
    int fd = REAL(open)(path, O_WRONLY | O_CLOEXEC), done = fd < 0 ? -1 : ftruncate(fd, to), why = errno;
    return fd < 0 ? 0 : close(fd), errno = why, done;
}
int truncate64(const char *, off64_t) SAME(truncate)
int posix_fallocate(int fd, off_t at, off_t n) {
    struct stat file;
    return tracked(fd, &file) && is_full(&file, at + n) ? ENOSPC : REAL(posix_fallocate)(fd, at, n);
}
int posix_fallocate64(int, off64_t, off64_t) SAME(posix_fallocate)

static ino_t only(const char *path) { /* the inode that ends with this name, or 0 */
    struct stat file;
    return disk && !disk->broken && !lstat(path, &file) && file.st_nlink == 1 && file.st_dev == top.st_dev ? file.st_ino : 0;
}
#define REPLACE(doomed, call) { \
    ino_t gone = doomed; \
    int done = call; \
    return done >= 0 && gone ? cover(gone, VOID), done : done; }
int rename(const char *from, const char *to) REPLACE(only(to), REAL(rename)(from, to))
int unlink(const char *path) REPLACE(only(path), REAL(unlink)(path))
int remove(const char *path) REPLACE(only(path), REAL(remove)(path))
int open(const char *path, int flags, ...) {
    va_list more; va_start(more, flags);
    mode_t mode = va_arg(more, mode_t); /* the kernel ignores it unless it creates a file */
    va_end(more);
    REPLACE(flags & O_TRUNC ? only(path) : 0, REAL(open)(path, flags, mode))
}
int open64(const char *, int, ...) SAME(open)
