package image

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// claimed is a PNG file's head that claims a size.
func claimed(w, h uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	ihdr = append(ihdr, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

// TestBrokenFiles: each is an error that names the file and what is wrong.
func TestBrokenFiles(t *testing.T) {
	whole := func(name string) []byte {
		data, err := os.ReadFile("testdata/files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cut := func(name string) []byte { data := whole(name); return data[:len(data)/2] }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty.png": {nil, "cannot identify image file: it is empty"},
		"text.jpg":  {[]byte("hello, this is text"), "cannot identify image file"},
		"bomb.png":  {claimed(65535, 65535), "could be decompression bomb"},
		"zero.png":  {claimed(0, 7), "PNG image is damaged"},
		"cut.png":   {cut("rgb.png"), "PNG image is damaged or truncated"},
		"cut.jpg":   {cut("rgb420.jpg"), "JPEG image is damaged or truncated"},
		"cut.webp":  {cut("lossy.webp"), "WebP image is damaged or truncated"},
		"cut.tiff":  {cut("rgb.tiff"), "TIFF image is damaged or truncated"},
		"cut.bmp":   {cut("rgb.bmp"), "BMP image is damaged or truncated"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error is %v, want the path and %q", name, err, c.want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("the error of a folder is %v", err)
	}
}

// FuzzDecode: no file makes Decode panic, and an image has as many bytes as its size says.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/files/*")
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 || bytes.Contains(data, []byte("IHDR")) && len(data) > 24 && binary.BigEndian.Uint32(data[16:]) > 4096 {
			return // keep the memory of a run small
		}
		if m, err := Decode(data); err == nil && len(m.Pix) != m.Width*m.Height*m.Mode.Bands() {
			t.Errorf("%v has %d bytes", m, len(m.Pix))
		}
	})
}
