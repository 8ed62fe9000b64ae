package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// PackedSequence is torch.nn.utils.rnn.PackedSequence: sequences of several lengths, step by step, without padding. Recurrent layers
// take it and give one.
type PackedSequence struct {
	Data       tensor.Tensor // [steps of all sequences, ...]
	BatchSizes tensor.Tensor // int64, on the CPU: how many sequences have each step
	// The order the sequences were sorted in, by falling length, and back; undefined when they were sorted already.
	SortedIndices, UnsortedIndices tensor.Tensor
}

// TypeName is the class's name in PyTorch, for messages.
func (*PackedSequence) TypeName() string { return "PackedSequence" }

// batch is the number of sequences.
func (p *PackedSequence) batch() int64 { return tensor.Values[int64](p.BatchSizes)[0] }

// PackPaddedSequence is torch.nn.utils.rnn.pack_padded_sequence.
type PackPaddedSequence struct {
	Input         tensor.Tensor `cfg:"input,required" help:"padded sequences, [length, batch, ...]"`
	Lengths       Weights       `cfg:"lengths,required" help:"the length of each sequence"`
	BatchFirst    bool          `cfg:"batch_first" help:"input is [batch, length, ...]"`
	EnforceSorted bool          `cfg:"enforce_sorted" help:"the sequences must come by falling length; else they are sorted"`
}

func init() {
	registry.Register[*PackedSequence]("torch.nn.utils.rnn.pack_padded_sequence", PackPaddedSequence{EnforceSorted: true})
	registry.Register[lighter.List]("torch.nn.utils.rnn.pad_packed_sequence", PadPackedSequence{})
}

// Build packs.
func (c PackPaddedSequence) Build(*registry.Env) (_ *PackedSequence, err error) {
	defer tensor.Recover(&err)
	return packPadded(c.Input, c.Lengths.tensor().To(tensor.Device{}, tensor.Int64), c.BatchFirst, c.EnforceSorted), nil
}

func packPadded(x, lengths tensor.Tensor, batchFirst, sorted bool) *PackedSequence {
	p := &PackedSequence{}
	if !sorted {
		both := tensor.Call("sort", lengths, -1, true)
		lengths = both[0].(tensor.Tensor)
		order := both[1].(tensor.Tensor)
		back := tensor.CallOne("argsort", order)
		p.SortedIndices, p.UnsortedIndices = order.To(x.Device(), tensor.Int64), back.To(x.Device(), tensor.Int64)
		batch := int64(1)
		if batchFirst {
			batch = 0
		}
		x = x.IndexSelect(batch, p.SortedIndices)
	}
	out := tensor.Call("_pack_padded_sequence", x, lengths, batchFirst)
	p.Data, p.BatchSizes = out[0].(tensor.Tensor), out[1].(tensor.Tensor)
	return p
}

// PadPackedSequence is torch.nn.utils.rnn.pad_packed_sequence: the padded sequences and their lengths.
type PadPackedSequence struct {
	Sequence     *PackedSequence `cfg:"sequence,required" help:"packed sequences"`
	BatchFirst   bool            `cfg:"batch_first" help:"the result is [batch, length, ...]"`
	PaddingValue float64         `cfg:"padding_value" help:"what stands after a sequence's end"`
	TotalLength  *int64          `cfg:"total_length" help:"length of the result, that of the longest sequence when null"`
}

// Build pads.
func (c PadPackedSequence) Build(*registry.Env) (_ lighter.List, err error) {
	defer tensor.Recover(&err)
	p, total := c.Sequence, int64(0)
	if c.TotalLength != nil {
		if total = *c.TotalLength; total < p.BatchSizes.Size(0) {
			return nil, registry.FieldError("total_length", "Expected total_length to be at least the length of the longest sequence in input, but got total_length=%d and max sequence length being %d",
				total, p.BatchSizes.Size(0))
		}
	}
	out := tensor.Call("_pad_packed_sequence", p.Data, p.BatchSizes, c.BatchFirst, c.PaddingValue, total)
	x, lengths := out[0].(tensor.Tensor), out[1].(tensor.Tensor)
	if back := p.UnsortedIndices; back.Defined() {
		batch := int64(1)
		if c.BatchFirst {
			batch = 0
		}
		x, lengths = x.IndexSelect(batch, back), lengths.IndexSelect(0, back.To(tensor.Device{}, tensor.Int64))
	}
	return lighter.List{x, lengths}, nil
}
