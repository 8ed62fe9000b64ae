// Package eventfile writes TensorBoard's event files: records with checksums, each a protobuf Event.
//
// The framing is TensorFlow's TFRecord, https://www.tensorflow.org/tutorials/load_data/tfrecord; the messages are those of
// event.proto and summary.proto in tensorboard/compat/proto, and of the hparams plugin's plugin_data.proto and api.proto.
package eventfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Writer collects events in memory and appends them to one file, which the first Flush makes. It is for one goroutine.
type Writer struct {
	dir     string
	path    string // "" until the file is made
	pending []byte
	began   time.Time // of the first event
}

// New is a writer of a new file in dir, a folder that exists by the first Flush.
func New(dir string) *Writer { return &Writer{dir: dir} }

// Path is the file, "" before the first Flush with something to write.
func (w *Writer) Path() string { return w.path }

// Buffered is how many bytes wait for Flush.
func (w *Writer) Buffered() int { return len(w.pending) }

// Scalar adds a value of a curve. It is stored as float32; one too large is infinite.
func (w *Writer) Scalar(at time.Time, step int64, tag string, value float64) {
	w.add(at, step, scalarValue(tag, float32(value)))
}

// HParams adds the hyper-parameters of the run in dir, for TensorBoard's HParams dashboard, and the tags of the metrics it
// shows beside them. TensorBoard knows the first hyper-parameters of a run only.
func (w *Writer) HParams(at time.Time, params []HParam, metrics []string) {
	for _, v := range hparamValues(params, metrics) {
		w.add(at, 0, v)
	}
}

func (w *Writer) add(at time.Time, step int64, value message) {
	if w.began.IsZero() {
		w.began = at
		w.pending = appendRecord(w.pending, versionEvent(at))
	}
	w.pending = appendRecord(w.pending, summaryEvent(at, step, value))
}

// Flush appends what was added to the file in one write, so that a kill leaves whole records. It is not synced to the disk.
func (w *Writer) Flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	f, err := w.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(w.pending); err != nil {
		return err
	}
	w.pending = w.pending[:0]
	return f.Close()
}

// files counts the event files of this process; TensorBoard's own writer has the number in their names too.
var files atomic.Int64

func (w *Writer) open() (*os.File, error) {
	if w.path != "" {
		return os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND, 0)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	for {
		name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d.%d", w.began.Unix(), host, os.Getpid(), files.Add(1)-1)
		f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) { // another container's, of the same host name and process number
			continue
		}
		if err == nil {
			w.path = f.Name()
		}
		return f, err
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord frames data: its length, that length's checksum, the data, the data's checksum.
func appendRecord(b, data []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[start:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// masked is the CRC-32C, rotated and shifted so that the checksum of data that holds checksums is a good one.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
