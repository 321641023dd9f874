#!/bin/sh
# Installs what cargo has built: install.sh FOLDER PREFIX [DESTDIR]. FOLDER has libsealite_ffi.so and .a.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
built=$1
prefix=$2
destination=${3:-}$prefix
version=$(sed -n 's/^#define SEALITE_VERSION "\(.*\)"/\1/p' "$here/../include/sealite.h")
# The ABI's number, as in the name that build.rs gives the shared library.
abi=0

mkdir -p "$destination/include" "$destination/lib/pkgconfig"
install -m 644 "$here/../include/sealite.h" "$here/../include/sealite.hpp" "$here/../include/sealite_sql.hpp" \
    "$destination/include/"

install -m 755 "$built/libsealite_ffi.so" "$destination/lib/libsealite.so.$version"
ln -sf "libsealite.so.$version" "$destination/lib/libsealite.so.$abi"
ln -sf "libsealite.so.$abi" "$destination/lib/libsealite.so"

# One object, in which every name but sealite_* is local: SQLite's, and those of Rust's library, can't meet others of the
# program's. Left alone, two SQLite libraries would be mixed function by function.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/^/--undefined=/' "$here/symbols.txt" >"$work/wanted"
ld -r --gc-sections -o "$work/sealite.o" "@$work/wanted" "$built/libsealite_ffi.a"
# Rust's own bitcode, of no use to anybody else, is more than an older LLVM plugin of binutils can read.
objcopy --keep-global-symbols="$here/symbols.txt" --remove-section=.llvmbc --remove-section=.llvmcmd "$work/sealite.o"
rm -f "$destination/lib/libsealite.a"
ar rcs "$destination/lib/libsealite.a" "$work/sealite.o"

# What sed would take for more than text.
text=$(printf '%s\n' "$prefix" | sed 's/[\\&|]/\\&/g')
sed "s|@PREFIX@|$text|; s|@VERSION@|$version|" "$here/sealite.pc.in" >"$destination/lib/pkgconfig/sealite.pc"
