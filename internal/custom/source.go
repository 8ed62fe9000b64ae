package custom

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const modulePath = "github.com/lighter-go/lighter"

// The archive of the program's source and the settings of its build, as build/env.sh prints them. In the tree they are empty:
// build/build.sh puts them in by an overlay, and a source that is unpacked here holds them.
var (
	//go:embed embedded/source.tar.gz
	ownArchive []byte
	//go:embed embedded/settings
	ownSettings string
)

// source is lighter's source, unpacked.
type source struct {
	dir      string
	settings string // of the build it is from, "" when they are to be found out
}

// findSource unpacks the program's source, or that of the checkout that is given.
func (b *build) findSource() (source, error) {
	archive, settings := ownArchive, ownSettings
	if b.o.Source != "" {
		var err error
		if archive, settings, err = b.pack(b.o.Source); err != nil {
			return source{}, err
		}
	}
	if len(archive) == 0 {
		return source{}, errors.New("this program does not hold its source, which `make build` and `make dist` put into it and a plain go build does not: " +
			"use one of theirs, or name a checkout of lighter with --source DIR")
	}
	s := source{filepath.Join(b.root, "source-"+sum(archive, []byte(settings))), settings}
	if _, err := os.Stat(s.dir); err == nil {
		now := time.Now()
		return s, os.Chtimes(s.dir, now, now) // for prune
	}
	if err := os.MkdirAll(b.root, 0o777); err != nil {
		return source{}, err
	}
	temp, err := os.MkdirTemp(b.root, ".source-")
	if err != nil {
		return source{}, err
	}
	defer os.RemoveAll(temp)
	if err := unpack(archive, settings, temp); err != nil {
		return source{}, fmt.Errorf("unpacking lighter's source: %w", err)
	}
	if err := os.Rename(temp, s.dir); err != nil {
		if _, there := os.Stat(s.dir); there != nil { // no other build was faster
			return source{}, err
		}
	}
	return s, nil
}

// pack makes the archive of a checkout.
func (b *build) pack(checkout string) (archive []byte, settings string, err error) {
	text, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil || !strings.HasPrefix(string(text), "module "+modulePath+"\n") {
		return nil, "", fmt.Errorf("--source %s is no checkout of lighter: its go.mod would begin with \"module %s\"", checkout, modulePath)
	}
	temp, err := os.CreateTemp("", "lighter-source-")
	if err != nil {
		return nil, "", err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	if _, err := b.script(checkout, "source.sh", temp.Name()); err != nil {
		return nil, "", err
	}
	if archive, err = io.ReadAll(temp); err != nil {
		return nil, "", err
	}
	settings, err = b.script(checkout, "env.sh")
	return archive, settings, err
}

// script runs one of the scripts in build/ of a source and gives what it prints.
func (b *build) script(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, "bash", append([]string{filepath.Join(dir, "build", name)}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "lighter: ")
		return "", &scriptError{name, said, err}
	}
	return stdout.String(), nil
}

// scriptError is a script that failed, with what it said.
type scriptError struct {
	name, said string
	err        error
}

func (e *scriptError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("build/%s: %v", e.name, e.err)
	}
	return e.said
}

func (e *scriptError) Unwrap() error { return e.err }

// unpack writes an archive's files below dir, and the archive itself to where it is embedded from.
func unpack(archive []byte, settings, dir string) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			if err := write(filepath.Join(dir, "internal/custom/embedded/source.tar.gz"), bytes.NewReader(archive), 0o666); err != nil {
				return err
			}
			return write(filepath.Join(dir, "internal/custom/embedded/settings"), strings.NewReader(settings), 0o666)
		case err != nil:
			return err
		case h.Typeflag == tar.TypeReg && filepath.IsLocal(h.Name):
			if err := write(filepath.Join(dir, h.Name), r, fs.FileMode(h.Mode).Perm()|0o200); err != nil {
				return err
			}
		}
	}
}

func write(path string, from io.Reader, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// sum names a folder after what it is for.
func sum(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// month is how long a folder of the cache is kept that no build uses.
const month = 30 * 24 * time.Hour

// prune removes the folders of sources and builds that were not used for long, but for those of this build.
func prune(root string, used ...string) {
	now := time.Now()
	for _, dir := range used {
		os.Chtimes(dir, now, now)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > month {
			os.RemoveAll(filepath.Join(root, e.Name()))
		}
	}
}
