// Command unwheel unpacks from Python wheels what a C++ program needs of libtorch and of Pillow's libjpeg:
//
//	go run ./build/unwheel [-cuda] -o DIR WHEEL...
//
// DIR gets include/ (torch's headers), lib/ (the shared libraries of all wheels side by side, where
// their $ORIGIN rpath finds them) and licenses/, and with -cuda the CUDA libraries and cuda/include/
// too. The wheels are taken as they are: pip has checked their sums.
package main

import (
	"archive/zip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

func main() {
	out := flag.String("o", "", "folder to unpack into")
	cuda := flag.Bool("cuda", false, "unpack what CUDA needs too")
	flag.Parse()
	if err := run(*out, *cuda, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "unwheel:", err)
		os.Exit(1)
	}
}

func run(out string, cuda bool, wheels []string) error {
	if out == "" || len(wheels) == 0 {
		return errors.New("want -o DIR and at least one wheel")
	}
	for _, wheel := range wheels {
		if err := unpack(wheel, out, cuda); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(wheel), err)
		}
	}
	return nil
}

func unpack(wheel, out string, cuda bool) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, f := range archive.File {
		dest := destination(f.Name, cuda)
		if dest == "" || f.FileInfo().IsDir() {
			continue
		}
		if !filepath.IsLocal(dest) {
			return fmt.Errorf("%q leaves the folder it is unpacked into", f.Name)
		}
		if err := extract(f, filepath.Join(out, dest)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// destination returns where a wheel's file goes, or "" when it is not needed.
func destination(name string, cuda bool) string {
	base := path.Base(name)
	switch top, rest, _ := strings.Cut(name, "/"); {
	case top == "torch" && strings.HasPrefix(rest, "include/"):
		return rest
	case top == "pillow.libs" && strings.HasPrefix(base, "libjpeg-"):
		return path.Join("lib", base)
	case isLibrary(name) && (cuda && !needsPython(base) || runsOnCPU(base)):
		return path.Join("lib", base)
	case top == "nvidia" && cuda && strings.Contains(rest, "/include/"):
		_, header, _ := strings.Cut(rest, "/include/")
		return path.Join("cuda", "include", header)
	case strings.HasSuffix(top, ".dist-info") && isLicense(base):
		return path.Join("licenses", strings.TrimSuffix(top, ".dist-info"), base)
	}
	return ""
}

// isLibrary reports whether name is a shared library in torch/lib or in a lib folder of nvidia/.
func isLibrary(name string) bool {
	dir, base := path.Split(name)
	return strings.Contains(base, ".so") &&
		(dir == "torch/lib/" || strings.HasPrefix(dir, "nvidia/") && strings.HasSuffix(dir, "/lib/"))
}

// runsOnCPU reports whether a CPU run needs the library: libtorch_cpu.so and what it links to.
// libgomp's name carries a hash in older wheels.
func runsOnCPU(base string) bool {
	switch stem, _, _ := strings.Cut(base, ".so"); stem {
	case "libtorch_cpu", "libc10", "libcudart", "libcupti":
		return true
	default:
		return stem == "libgomp" || strings.HasPrefix(stem, "libgomp-")
	}
}

func needsPython(base string) bool {
	return strings.HasPrefix(base, "libtorch_python") || strings.HasPrefix(base, "libshm")
}

func isLicense(base string) bool {
	base = strings.ToLower(base)
	return strings.HasPrefix(base, "license") || strings.HasPrefix(base, "notice")
}

func extract(f *zip.File, dest string) (err error) {
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	file, err := os.OpenFile(dest, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(file, in)
	return err
}
