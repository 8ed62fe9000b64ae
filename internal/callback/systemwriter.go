package callback

import (
	"errors"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// The writers of Lighter 0.0.x, which write a step's `pred` under its `identifier`.

// SystemFileWriter are the arguments of the FileWriter of Lighter 0.0.x.
type SystemFileWriter struct {
	Path   string       `cfg:"path,required,aka=directory" help:"the folder to write in"`
	Writer SystemWriter `cfg:"writer,required,aka=writer_fn" help:"tensor, image, or a callable of (path, tensor)"`
}

func init() {
	lighter.Register[lighter.Callback]("lighter.callbacks.writer.file.FileWriter", SystemFileWriter{})
}

// Doc is the component's prose.
func (SystemFileWriter) Doc() string {
	return `The FileWriter of Lighter 0.0.x: writes the prediction of each sample to a file of its own, named by the identifier, or by
numbers from 0. In a configuration with a system, lighter.callbacks.FileWriter is this one.`
}

// Build makes the callback.
func (a SystemFileWriter) Build(env *lighter.Env) (lighter.Callback, error) {
	inner := &fileWriter{args: FileWriter{Directory: a.Path, ValueKey: "pred", WriterFn: WriterFn{a.Writer.write}}, log: env.Log}
	return &systemFileWriter{inner}, nil
}

type systemFileWriter struct{ *fileWriter }

// BatchEnd writes the files of a batch. Waits for the device.
func (w *systemFileWriter) BatchEnd(t lighter.Trainer, out lighter.Output, idx int) error {
	w.args.NameKey = nil
	if out["identifier"] != nil {
		key := "identifier"
		w.args.NameKey = &key
	}
	return w.fileWriter.BatchEnd(t, out, idx)
}

// SystemWriter is what writes a tensor to a path without a suffix.
type SystemWriter struct {
	write func(path string, v lighter.Value) error
}

var systemWriters = map[string]func(path string, v lighter.Value) error{
	"tensor": tensorWriter.writeValue,
	"image":  WriteTensor{Suffix: ".png", encode: encodeBytes}.writeValue,
}

// ConfigType names the forms.
func (*SystemWriter) ConfigType() string { return `"tensor", "image" or a callable` }

// DecodeConfig takes a name or a callable.
func (w *SystemWriter) DecodeConfig(v any) error {
	name, ok := v.(string)
	if !ok {
		var f WriterFn
		err := f.DecodeConfig(v)
		w.write = f.write
		return err
	}
	if name == "video" {
		return errors.New("writer \"video\" makes mp4 files, for which there is no encoder here: \"tensor\" keeps the video, torchvision.io.write_video writes it in Python")
	}
	if w.write, ok = systemWriters[name]; !ok {
		return wording("Writer for format %s does not exist. Available writers: %s", name, pythonList(slices.Sorted(maps.Keys(systemWriters))))
	}
	return nil
}

// CheckConfig refuses a component that is no callable.
func (w *SystemWriter) CheckConfig(v any) error {
	if _, ok := v.(string); ok {
		return w.DecodeConfig(v)
	}
	return (&WriterFn{}).CheckConfig(v)
}

// encodeBytes is torchvision.io.write_png of a uint8 tensor [channels, height, width].
func encodeBytes(v lighter.Value) ([]byte, error) {
	t, err := imageTensor("write_image", v)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Dim() == 5: // [batch, channels, depth, height, width]: slices one below the other, the images side by side
		s := t.Shape()
		t = t.Reshape(s[0], s[1], s[2]*s[3], s[4])
		rows := make([]any, s[0])
		for i := range rows {
			rows[i] = t.Select(0, int64(i))
		}
		t = tensor.CallOne("cat", rows, -1)
	case t.Dim() != 3:
		return nil, wording("write_image expects a 3D tensor (CHW) or a 5D one (BCDHW), got %d dimensions.", t.Dim())
	}
	if t.DType() != tensor.Uint8 {
		return nil, wording("Input tensor dtype should be uint8, got %s. A LoggingAdapter's pred_transforms can make it so", t.DType())
	}
	return encodePNG(t.To(tensor.Device{}, tensor.Float64).DivScalar(255), int(t.Size(1)), int(t.Size(2)))
}
