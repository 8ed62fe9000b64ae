package eventfile

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Continue is a writer that goes on with the newest file in dir after its first n events, or those of them that are whole: the
// rest is cut off. kept is their number. Without such a file the writer makes one.
func Continue(dir string, n int64) (w *Writer, kept int64, err error) {
	found, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(found) == 0 {
		return New(dir), 0, err
	}
	path := found[len(found)-1] // names begin with the time
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	kept, size, err := whole(f, n)
	if err != nil {
		return nil, 0, err
	}
	if kept == 0 {
		return New(dir), 0, os.Remove(path)
	}
	if err := f.Truncate(size); err != nil {
		return nil, 0, err
	}
	return &Writer{dir: dir, path: path, began: time.Unix(1, 0)}, kept, f.Close()
}

// whole counts the records of a file, n at most, up to the first that is not whole, and their bytes.
func whole(f *os.File, n int64) (records, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	r := bufio.NewReader(f)
	for records < n {
		var head [12]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			break
		}
		length := binary.LittleEndian.Uint64(head[:])
		if masked(head[:8]) != binary.LittleEndian.Uint32(head[8:]) || length > uint64(info.Size()) {
			break
		}
		data := make([]byte, length+4)
		if _, err := io.ReadFull(r, data); err != nil || masked(data[:length]) != binary.LittleEndian.Uint32(data[length:]) {
			break
		}
		records++
		size += int64(len(head) + len(data))
	}
	return records, size, nil
}
