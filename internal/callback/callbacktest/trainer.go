// Package callbacktest has a trainer for the tests of callbacks: its state is what the test sets.
package callbacktest

import (
	"os"
	"path/filepath"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/tensor"
)

// Trainer answers with its fields.
type Trainer struct {
	InMode   lighter.Mode
	Command  string // "" is fit
	Sanity   bool
	AtEpoch  int
	AtStep   int64
	AtBatch  int
	Batches  int
	Loader   int
	Epochs   int
	Logged   map[string]float64
	Dir      string
	Root     string
	Resumed  string
	GoesOn   bool
	Network  lighter.Model
	Stopped  string
	MidEpoch bool // validation runs within or between epochs, not at the end of each
	ValNext  bool // a validation follows the batch
	Due      bool // a row of the step under way is due
	Optim    lighter.Optimizer
	Changes  *lighter.Schedule

	// Rows are those of WriteRow, in order.
	Rows [][]lighter.Scalar

	// Saved are the checkpoints in order; Save writes one, an empty file by default.
	Saved     []string
	Save      func(path string, weightsOnly bool) error
	MetricsOf int // how often Metrics was called
}

// The methods of lighter.Trainer.

func (t *Trainer) Mode() lighter.Mode { return t.InMode }

func (t *Trainer) Stage() string {
	if t.Command == "" {
		return "fit"
	}
	return t.Command
}

func (t *Trainer) SanityChecking() bool                          { return t.Sanity }
func (t *Trainer) Epoch() int                                    { return t.AtEpoch }
func (t *Trainer) GlobalStep() int64                             { return t.AtStep }
func (t *Trainer) BatchIdx() int                                 { return t.AtBatch }
func (t *Trainer) NumBatches() int                               { return t.Batches }
func (t *Trainer) DataloaderIdx() int                            { return t.Loader }
func (t *Trainer) MaxEpochs() int                                { return t.Epochs }
func (t *Trainer) Log(string, tensor.Tensor, lighter.LogOptions) {}
func (t *Trainer) LogEpoch(string, float64)                      {}
func (t *Trainer) StepLogged() bool                              { return false }
func (t *Trainer) LogDir() string                                { return t.Dir }
func (t *Trainer) DefaultRootDir() string                        { return t.Root }
func (t *Trainer) CkptPath() string                              { return t.Resumed }
func (t *Trainer) Continues() bool                               { return t.GoesOn }
func (t *Trainer) Checkpoints() lighter.CheckpointFiles          { return checkpoints{} }
func (t *Trainer) ValidatesAtEpochEnd() bool                     { return !t.MidEpoch }
func (t *Trainer) WillValidate() bool                            { return t.ValNext }
func (t *Trainer) Model() lighter.Model                          { return t.Network }
func (t *Trainer) Optimizer() lighter.Optimizer                  { return t.Optim }
func (t *Trainer) Schedule() *lighter.Schedule                   { return t.Changes }
func (t *Trainer) RowDue() bool                                  { return t.Due }
func (t *Trainer) Stop(reason string)                            { t.Stopped = reason }

// Metrics counts its calls.
func (t *Trainer) Metrics() map[string]float64 {
	t.MetricsOf++
	return t.Logged
}

// WriteRow notes the row.
func (t *Trainer) WriteRow(row []lighter.Scalar) error {
	t.Rows = append(t.Rows, row)
	return nil
}

// SaveCheckpoint notes the path and writes the file.
func (t *Trainer) SaveCheckpoint(path string, weightsOnly bool) error {
	t.Saved = append(t.Saved, path)
	if t.Save != nil {
		return t.Save(path, weightsOnly)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o666)
}

// checkpoints makes every change at once.
type checkpoints struct{}

func (checkpoints) Copy(src, dst string) error { return atomicfile.Copy(src, dst) }
func (checkpoints) Link(src, dst string) error { return atomicfile.Link(src, dst) }
func (checkpoints) Remove(path string)         { os.Remove(path) }
func (checkpoints) Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
