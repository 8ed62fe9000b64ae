package shard

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Sample is the files of one sample, by what follows the first point of their names, in lower case: "jpg", "seg.png".
type Sample struct {
	Shard string // the archive
	Key   string // the name that they share, with its folder in the archive
	Names []string
	Files map[string][]byte
}

// Where says for messages where a sample is.
func (s *Sample) Where() string { return filepath.Base(s.Shard) + ": " + s.Key }

// Reader gives the samples of an archive, in its order.
type Reader struct {
	path   string
	closer io.Closer
	source *source
	tar    *tar.Reader
	most   int64 // bytes that a file in it can have
	at     *Sample
	ended  bool
}

// Open opens a shard. One of gzip or bzip2 is unpacked as it is read.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // names the path
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder, not a tar archive", path)
	}
	var r *Reader
	if err == nil {
		r, err = read(path, f, info.Size())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	r.closer = f
	return r, nil
}

// block is what a tar archive is made of; empty ones end it.
const block = 512

// deflateRatio is more than gzip can shrink anything by.
const deflateRatio = 1100

func read(path string, in io.Reader, size int64) (*Reader, error) {
	b := bufio.NewReaderSize(in, 1<<18)
	r := &Reader{path: path, most: size}
	var unpacked io.Reader = b
	switch head, _ := b.Peek(3); {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%s is a damaged gzip file: %w", path, err)
		}
		unpacked, r.most = z, deflateRatio*size
	case bytes.HasPrefix(head, []byte("BZh")):
		unpacked, r.most = bzip2.NewReader(b), 1<<40
	}
	r.source = &source{r: unpacked}
	r.tar = tar.NewReader(r.source)
	return r, nil
}

// source counts what is read, and looks what comes after the last file.
type source struct {
	r     io.Reader
	n     int64
	end   int64 // where the file under way ends
	after bool  // there is something else than zeros after it
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if rest := b[min(max(s.end-s.n, 0), int64(n)):n]; len(bytes.Trim(rest, "\x00")) > 0 {
		s.after = true
	}
	s.n += int64(n)
	return n, err
}

var (
	// name is webdataset's base_plus_ext, meta what its reader leaves out.
	name = regexp.MustCompile(`(?s)^((?:.*/|)[^.]+)[.]([^/]*)$`)
	meta = regexp.MustCompile(`^__[^/]*__($|/)`)
)

// Next gives the next sample; nil at the end.
func (r *Reader) Next() (*Sample, error) {
	for !r.ended {
		h, err := r.tar.Next()
		if errors.Is(err, io.EOF) {
			r.ended = true
			if r.source.after || r.source.n < r.source.end+block {
				return nil, fmt.Errorf("%s is truncated: it lacks the empty blocks that end a tar archive%s", r.path, r.after())
			}
			break
		}
		if err != nil {
			return nil, r.damaged(err)
		}
		r.source.end, r.source.after = r.source.n+(h.Size+block-1)/block*block, false
		parts := name.FindStringSubmatch(h.Name)
		if h.Typeflag != tar.TypeReg || meta.MatchString(h.Name) || parts == nil {
			continue
		}
		data, err := r.content(h)
		if err != nil {
			return nil, err
		}
		key, extension := parts[1], strings.ToLower(parts[2])
		done := r.at
		if done == nil || done.Key != key {
			r.at = &Sample{Shard: r.path, Key: key, Files: map[string][]byte{}}
		} else {
			done = nil
		}
		if _, twice := r.at.Files[extension]; twice {
			return nil, fmt.Errorf("%s: %s: duplicate file name in tar file: the sample has two files %q", r.path, key, extension)
		}
		r.at.Names = append(r.at.Names, extension)
		r.at.Files[extension] = data
		if done != nil {
			return done, nil
		}
	}
	last := r.at
	r.at = nil
	return last, nil
}

// content reads a file, as much as there is of it.
func (r *Reader) content(h *tar.Header) ([]byte, error) {
	if h.Size > r.most {
		return nil, fmt.Errorf("%s is truncated or damaged: %s: its header claims %d bytes, more than the archive has", r.path, h.Name, h.Size)
	}
	var b bytes.Buffer
	b.Grow(int(min(h.Size, 1<<20)) + bytes.MinRead)
	if _, err := b.ReadFrom(r.tar); err != nil {
		return nil, r.damaged(fmt.Errorf("%s: %w", h.Name, err))
	}
	return b.Bytes(), nil
}

func (r *Reader) damaged(err error) error {
	what := "damaged, or no tar archive"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what = "truncated"
	}
	return fmt.Errorf("%s is %s%s: %w", r.path, what, r.after(), err)
}

// after says how far the archive is sound.
func (r *Reader) after() string {
	if r.at == nil {
		return ""
	}
	return fmt.Sprintf(", after the sample %q", r.at.Key)
}

// Close closes the file.
func (r *Reader) Close() error { return r.closer.Close() }
