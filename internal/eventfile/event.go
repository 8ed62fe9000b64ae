package eventfile

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// message is an encoded protobuf message. https://protobuf.dev/programming-guides/encoding/
type message []byte

func (m *message) key(field, wire uint64) { *m = binary.AppendUvarint(*m, field<<3|wire) }

func (m *message) varint(field, v uint64) {
	m.key(field, 0)
	*m = binary.AppendUvarint(*m, v)
}

func (m *message) double(field uint64, f float64) {
	m.key(field, 1)
	*m = binary.LittleEndian.AppendUint64(*m, math.Float64bits(f))
}

func (m *message) float(field uint64, f float32) {
	m.key(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(f))
}

func (m *message) message(field uint64, v message) {
	m.key(field, 2)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

// text writes a string, which protobuf wants in UTF-8.
func (m *message) text(field uint64, s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	m.key(field, 2)
	*m = binary.AppendUvarint(*m, uint64(len(s)))
	*m = append(*m, s...)
}

func wallTime(at time.Time) float64 { return float64(at.Unix()) + float64(at.Nanosecond())/1e9 }

// versionEvent is the first of every file.
func versionEvent(at time.Time) message {
	var e message
	e.double(1, wallTime(at))
	e.text(3, "brain.Event:2") // file_version
	var source message
	source.text(1, "tensorboard.summary.writer.event_file_writer") // writer
	e.message(10, source)                                          // source_metadata
	return e
}

func summaryEvent(at time.Time, step int64, value message) message {
	e := make(message, 0, len(value)+40)
	e.double(1, wallTime(at))
	if step != 0 {
		e.varint(2, uint64(step))
	}
	summary := make(message, 0, len(value)+10)
	summary.message(1, value)
	e.message(5, summary)
	return e
}

func scalarValue(tag string, f float32) message {
	v := make(message, 0, len(tag)+20)
	v.text(1, tag)
	v.float(2, f) // simple_value
	return v
}

// HParam is a hyper-parameter; its value is a float64 or a string.
type HParam struct {
	Name  string
	Value any
}

// The numbers of api.proto's enums.
const (
	dataTypeString  = 1
	dataTypeFloat64 = 3
	statusSuccess   = 1
)

// hparamValues are the three summaries of PyTorch's torch.utils.tensorboard.summary.hparams: which hyper-parameters and metrics
// there are, the values of this run, and how it ended, which is success in advance.
func hparamValues(params []HParam, metrics []string) []message {
	var experiment, start, end message
	for _, p := range params {
		var info, value, entry message
		info.text(1, p.Name)
		switch v := p.Value.(type) {
		case float64:
			info.varint(4, dataTypeFloat64)
			value.double(2, v) // number_value
		case string:
			info.varint(4, dataTypeString)
			value.text(3, v) // string_value
		}
		experiment.message(4, info) // hparam_infos
		entry.text(1, p.Name)
		entry.message(2, value)
		start.message(1, entry) // hparams
	}
	for _, tag := range metrics {
		var name, info message
		name.text(2, tag)
		info.message(1, name)
		experiment.message(5, info) // metric_infos
	}
	end.varint(1, statusSuccess)
	return []message{
		pluginValue("_hparams_/experiment", 2, experiment),
		pluginValue("_hparams_/session_start_info", 3, start),
		pluginValue("_hparams_/session_end_info", 4, end),
	}
}

// pluginValue is a summary without a value, whose metadata is the message, in a field of HParamsPluginData.
func pluginValue(tag string, field uint64, m message) (v message) {
	var content, plugin, metadata message
	content.message(field, m)
	plugin.text(1, "hparams")
	plugin.message(2, content)
	metadata.message(1, plugin)
	v.text(1, tag)
	v.message(9, metadata)
	return v
}
