package shard

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.tar", "a.tar"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		pattern string
		want    []string
		err     string
	}{
		{"a.tar", []string{"a.tar"}, ""},
		{"s-{008..011}.tar", []string{"s-008.tar", "s-009.tar", "s-010.tar", "s-011.tar"}, ""},
		{"s-{8..11}", []string{"s-8", "s-9", "s-10", "s-11"}, ""},
		{"{3..0..2}", []string{"3", "1"}, ""},
		{"{a,b{1..2},}-{x,y}", []string{"a-x", "a-y", "b1-x", "b1-y", "b2-x", "b2-y", "-x", "-y"}, ""},
		{"{0..1}.tar::z.tar", []string{"0.tar", "1.tar", "z.tar"}, ""},
		{dir + "/*.tar", []string{dir + "/a.tar", dir + "/b.tar"}, ""},
		{dir + "/*.tgz", nil, "no file matches"},
		{"a{0..3", nil, "a brace is not closed"},
		{"a{0-3}", nil, "{0-3} is no range such as {000..012}"},
		{"{0..99999999}", nil, "more than 1000000 files"},
		{"{0..9999}{0..9999}", nil, "more than 1000000 files"},
	} {
		got, err := Expand([]string{c.pattern})
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) || c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s: %q, %v; want %q, %q", c.pattern, got, err, c.want, c.err)
		}
	}
}

// Wherever an archive is cut, also one with extended headers, that is an error.
func TestEveryCutIsFound(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"a.cls", "a.txt", "b.cls"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 1, PAXRecords: map[string]string{"mtime": "1.5"}, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() - block {
		if got, err := samples(b.Bytes()[:n]); err == nil {
			t.Errorf("%d of %d bytes give %q", n, b.Len(), got)
		}
	}
}

// archive makes a tar archive of names and contents by turns.
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func samples(data []byte) (got []string, err error) {
	r, err := read("x.tar", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for {
		s, err := r.Next()
		if err != nil || s == nil {
			return got, err
		}
		text := s.Key
		for _, name := range s.Names {
			text += " " + name + "=" + string(s.Files[name])
		}
		got = append(got, text)
	}
}

// Files in a row with one name are a sample; the name ends at the first point after the folder.
func TestSamples(t *testing.T) {
	data := archive(t, "__meta__/x.json", "{}", "a/1.JPG", "p", "a/1.seg.png", "q", "v.1/2.cls", "3", "README", "no point", "a/1.cls", "again")
	want := []string{"a/1 jpg=p seg.png=q", "v.1/2 cls=3", "a/1 cls=again"}
	for name, data := range map[string][]byte{"tar": data, "gzip": zipped(t, data)} {
		if got, err := samples(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestDamage(t *testing.T) {
	sound := archive(t, "1.txt", strings.Repeat("x", 3000), "2.txt", "y")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"within a file":          {sound[:1500], "x.tar is truncated or damaged: 1.txt: its header claims 3000 bytes"},
		"between files":          {sound[:512+3072], `x.tar is truncated: it lacks the empty blocks that end a tar archive, after the sample "1"`},
		"within a header":        {sound[:512+3072+100], `x.tar is truncated, after the sample "1"`},
		"another kind":           {[]byte(strings.Repeat("no archive ", 100)), "x.tar is damaged, or no tar archive"},
		"empty":                  {nil, "x.tar is truncated"},
		"of gzip, within a file": {zipped(t, sound[:1500]), "x.tar is truncated: 1.txt: unexpected EOF"},
		"gzip cut short":         {zipped(t, sound)[:60], "x.tar is truncated"},
		"a file twice":           {archive(t, "1.txt", "a", "1.TXT", "b"), `the sample has two files "txt"`},
		"a size of the sky":      {[]byte(strings.Replace(string(sound), "00000005670\x00", "77777777777\x00", 1)), "x.tar"},
	} {
		if _, err := samples(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Whatever the bytes, reading ends, in an error or with samples no larger than the archive can hold.
func FuzzShard(f *testing.F) {
	sound := archive(f, "a/1.jpg", "p", "a/1.cls", "1", "2.json", "{}")
	f.Add(sound)
	f.Add(zipped(f, sound))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := read("x.tar", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		total := int64(0)
		for {
			s, err := r.Next()
			if err != nil || s == nil {
				break
			}
			for _, b := range s.Files {
				total += int64(len(b))
			}
		}
		if total > deflateRatio*int64(len(data)) && !bytes.HasPrefix(data, []byte("BZh")) {
			t.Errorf("%d bytes of %d", total, len(data))
		}
	})
}
