package build_test

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// site is a checkout with the real scripts, a cache of its own and a package index with a tiny libtorch 2.11.0.
type site struct {
	t                  *testing.T
	root, cache, index string
	env                []string
}

const (
	torchWheel  = "torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl"
	pillowWheel = "pillow-13.0.0-cp312-cp312-manylinux_2_28_x86_64.whl"
)

// abiMark is in every libc10.so of the new C++ ABI.
const abiMark = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringE"

func versionHeader(version string) string {
	n := strings.Split(version, ".")
	return fmt.Sprintf("#define TORCH_VERSION_MAJOR %s\n#define TORCH_VERSION_MINOR %s\n#define TORCH_VERSION_PATCH %s\n", n[0], n[1], n[2])
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, root: filepath.Join(dir, "checkout"), cache: filepath.Join(dir, "cache"), index: filepath.Join(dir, "index")}
	scripts, err := filepath.Glob("*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(scripts, "compat.h", "unwheel/main.go") {
		s.write(filepath.Join(s.root, "build", name), read(t, name))
	}
	s.write(filepath.Join(s.root, "go.mod"), "module github.com/lighter-go/lighter\n\ngo 1.26\n")

	sum := s.wheel(torchWheel, map[string]string{
		"torch/include/torch/headeronly/version.h": versionHeader("2.11.0"),
		"torch/lib/libtorch_cpu.so":                "cpu",
		"torch/lib/libc10.so":                      abiMark,
		"torch/lib/libtorch_cuda.so":               "cuda",
	})
	s.pin(sum)
	sum = s.wheel(pillowWheel, map[string]string{"pillow.libs/libjpeg-6dc8d115.so.62.4.0": "jpeg"})
	s.write(filepath.Join(s.root, "build/libjpeg.txt"), "# python 3.12\npillow==13.0.0 --hash=sha256:"+sum+"\n")

	gocache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "LIBTORCH", "LIBTORCH_VERSION", "CUDA", "VERIFY", "PYTHONPATH", "MAKEFLAGS", "MFLAGS":
		default:
			s.env = append(s.env, v)
		}
	}
	s.env = append(s.env, "XDG_CACHE_HOME="+s.cache, "GOCACHE="+strings.TrimSpace(string(gocache)),
		"PIP_NO_INDEX=1", "PIP_FIND_LINKS="+s.index, "PIP_CONFIG_FILE=/dev/null")
	return s
}

// wheel puts a wheel into the index and returns its sum.
func (s *site) wheel(name string, files map[string]string) string {
	s.t.Helper()
	part := strings.SplitN(name, "-", 3)
	info := part[0] + "-" + part[1] + ".dist-info/"
	files[info+"METADATA"] = fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", part[0], part[1])
	files[info+"WHEEL"] = "Wheel-Version: 1.0\nTag: " + strings.TrimSuffix(part[2], ".whl") + "\n"
	files[info+"RECORD"] = ""
	path := filepath.Join(s.index, name)
	if err := os.MkdirAll(s.index, 0o755); err != nil {
		s.t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		s.t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	for name, content := range files {
		w, err := archive.Create(name)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		s.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(read(s.t, path))))
}

// pin says which sum torch's wheel must have.
func (s *site) pin(sum string) {
	s.write(filepath.Join(s.root, "build/libtorch-2.11.0.txt"), "# python 3.12\ntorch==2.11.0 --hash=sha256:"+sum+"\n")
}

func (s *site) torch(name string) string {
	return filepath.Join(s.cache, "lighter/libtorch/2.11.0", name)
}

func (s *site) jpeg(name string) string {
	return filepath.Join(s.cache, "lighter/libjpeg/13.0.0", name)
}

func (s *site) write(path, content string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a script in the environment of the site and env; it returns what the script printed.
func (s *site) run(script string, env ...string) (string, error) {
	cmd := exec.Command("bash", filepath.Join(s.root, "build", script))
	cmd.Env = append(append([]string{}, s.env...), env...)
	cmd.Dir = s.t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *site) mustRun(script string, env ...string) string {
	s.t.Helper()
	out, err := s.run(script, env...)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// The wheel of the cache, not a Python torch of the machine that runs the tests.
const fromCache = "LIBTORCH_VERSION=2.11.0"

func TestSetupFetchesOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustRun("setup.sh", fromCache)
	if got := read(t, s.torch("lib/libtorch_cpu.so")); got != "cpu" {
		t.Errorf("libtorch_cpu.so holds %q", got)
	}
	if _, err := os.Stat(s.torch("lib/libtorch_cuda.so")); err == nil {
		t.Error("libtorch_cuda.so was unpacked without CUDA=1")
	}
	if got := read(t, s.jpeg("lib/liblighter_jpeg.so")); got != "jpeg" {
		t.Errorf("liblighter_jpeg.so holds %q", got)
	}
	env := s.mustRun("env.sh", fromCache)
	for _, want := range []string{"-I" + s.torch("include"), "-rpath," + s.torch("lib"), "-L" + s.jpeg("lib"), "-rpath," + s.jpeg("lib"), "_GLIBCXX_USE_CXX11_ABI=1", "-rpath,$ORIGIN/../lib"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %q:\n%s", want, env)
		}
	}

	if err := os.RemoveAll(s.index); err != nil {
		t.Fatal(err)
	}
	if out := s.mustRun("setup.sh", fromCache); out != "" {
		t.Errorf("the second setup was not silent:\n%s", out)
	}
}

func TestCheckoutsShareOneEnvironment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustRun("setup.sh", fromCache)
	first := s.mustRun("env.sh", fromCache)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(other, os.DirFS(s.root)); err != nil {
		t.Fatal(err)
	}
	s.root = other
	if second := s.mustRun("env.sh", fromCache); second != first {
		t.Errorf("another checkout has another environment:\n%s\n%s", first, second)
	}
}

func TestSetupRepairs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		env    string
		damage func(*site) error
	}{
		{"a missing file", "", func(s *site) error { return os.Remove(s.torch("lib/libtorch_cpu.so")) }},
		{"a short file", "", func(s *site) error { return os.Truncate(s.torch("lib/libtorch_cpu.so"), 1) }},
		{"a changed file", "VERIFY=1", func(s *site) error { return os.WriteFile(s.torch("lib/libtorch_cpu.so"), []byte("CPU"), 0o644) }},
		{"a missing libjpeg", "", func(s *site) error { return os.Remove(s.jpeg("lib/libjpeg-6dc8d115.so.62.4.0")) }},
		{"an interrupted unpacking", "", func(s *site) error {
			return os.Rename(s.torch(""), filepath.Join(s.cache, "lighter/libtorch/.2.11.0.Ab12Cd"))
		}},
		{"an interrupted download", "", func(s *site) error {
			if err := os.RemoveAll(s.torch("")); err != nil {
				return err
			}
			return os.Truncate(filepath.Join(s.cache, "lighter/wheels", torchWheel), 100)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.mustRun("setup.sh", fromCache)
			if err := test.damage(s); err != nil {
				t.Fatal(err)
			}
			s.mustRun("setup.sh", fromCache, test.env)
			if got := read(t, s.torch("lib/libtorch_cpu.so")); got != "cpu" {
				t.Errorf("after the repair libtorch_cpu.so holds %q", got)
			}
			if got := read(t, s.jpeg("lib/liblighter_jpeg.so")); got != "jpeg" {
				t.Errorf("after the repair liblighter_jpeg.so holds %q", got)
			}
			left, err := os.ReadDir(filepath.Dir(s.torch("")))
			if err != nil {
				t.Fatal(err)
			}
			if len(left) != 1 {
				t.Errorf("the repair left %v", left)
			}
		})
	}
}

func TestSetupRefusesAnotherWheel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.pin(strings.Repeat("0", 64))
	out, err := s.run("setup.sh", fromCache)
	if err == nil || !strings.Contains(out, "HASHES") || !strings.Contains(out, "could not download libtorch") {
		t.Errorf("a wheel with a wrong sum: %v\n%s", err, out)
	}
	if _, err := os.Stat(s.torch("")); err == nil {
		t.Error("a wheel with a wrong sum was unpacked")
	}
}

func TestTwoSetupsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	outs := make([]string, 3)
	errs := make([]error, len(outs))
	var wait sync.WaitGroup
	for i := range outs {
		wait.Go(func() { outs[i], errs[i] = s.run("setup.sh", fromCache) })
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("setup %d: %v\n%s", i, err, outs[i])
		}
	}
	if n := strings.Count(strings.Join(outs, ""), "unpacking"); n != 1 {
		t.Errorf("unpacked %d times", n)
	}
}

func TestLIBTORCH(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, version, library string
		want                   string // of the message, or of the environment when it begins with a dash
	}{
		{"2.11", "2.11.0", abiMark, "-D_GLIBCXX_USE_CXX11_ABI=1"},
		{"2.1 with the old ABI", "2.1.2", "old", "-D_GLIBCXX_USE_CXX11_ABI=0"},
		{"too old", "1.13.0", "old", "is libtorch 1.13.0; lighter works with 2.1.x and 2.11.x"},
		{"too new", "2.15.0", abiMark, "is libtorch 2.15.0; lighter works with 2.1.x and 2.11.x"},
		{"neither", "2.10.0", abiMark, "is libtorch 2.10.0; lighter works with 2.1.x and 2.11.x"},
		{"no libtorch", "", "", "has no include/torch/csrc/api/include/torch/version.h"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			dir := t.TempDir()
			if test.version != "" {
				s.write(filepath.Join(dir, "include/torch/csrc/api/include/torch/version.h"), versionHeader(test.version))
				s.write(filepath.Join(dir, "lib/libtorch_cpu.so"), "cpu")
				s.write(filepath.Join(dir, "lib/libc10.so"), test.library)
			}
			out, err := s.run("setup.sh", "LIBTORCH="+dir)
			if works := test.want[0] == '-'; works != (err == nil) {
				t.Fatalf("setup: %v\n%s", err, out)
			} else if works {
				out = s.mustRun("env.sh", "LIBTORCH="+dir)
			}
			if !strings.Contains(out, test.want) || !strings.Contains(out, dir) {
				t.Errorf("got\n%s\nwant %q", out, test.want)
			}
		})
	}
}

func TestPythonTorch(t *testing.T) {
	t.Parallel()
	for version, used := range map[string]bool{"2.11.0": true, "2.1.2": true, "2.5.1": false} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			python := t.TempDir()
			torch := filepath.Join(python, "torch")
			s.write(filepath.Join(torch, "__init__.py"), "raise SystemExit('torch was imported')")
			s.write(filepath.Join(torch, "include/torch/headeronly/version.h"), versionHeader(version))
			s.write(filepath.Join(torch, "lib/libtorch_cpu.so"), "cpu")
			s.write(filepath.Join(torch, "lib/libc10.so"), abiMark)
			s.mustRun("setup.sh", "PYTHONPATH="+python)
			env := s.mustRun("env.sh", "PYTHONPATH="+python)
			if got := strings.Contains(env, "-I"+torch+"/include"); got != used {
				t.Errorf("Python's torch %s used: %v, want %v\n%s", version, got, used, env)
			}
		})
	}
}

func TestMissingToolsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bin := t.TempDir()
	for _, tool := range []string{"bash", "uname", "dirname", "cat", "sed", "paste", "cut", "sha256sum", "stat", "tr", "xargs", "cmp", "flock", "mkdir"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		out, err := s.run("setup.sh", fromCache, "PATH="+bin, "CC=gcc", "CXX=g++")
		if err == nil {
			t.Fatal("setup worked without tools")
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("the message lacks %q:\n%s", w, out)
			}
		}
	}
	check("Go 1.26 or newer", "a C compiler (gcc)", "a C++ compiler (g++)", "pip (pip3, pip or python3 -m pip)",
		"apt-get install gcc g++ python3-pip", "dnf install golang gcc gcc-c++ python3-pip")

	s.write(filepath.Join(bin, "go"), "#!/bin/bash\necho go1.19.8\n")
	s.write(filepath.Join(bin, "g++"), "#!/bin/bash\necho 8.3.0\n")
	s.write(filepath.Join(bin, "pip"), "#!/bin/bash\necho pip 19.0 from nowhere\n")
	check("Go 1.26 or newer (found 1.19.8)", "g++ 9 or newer (found 8.3.0)", "pip 20.3 or newer (found 19.0)")
}
