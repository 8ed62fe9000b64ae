package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// weightFiles are the endings of files that hold weights, without the dot.
var weightFiles = []string{"ckpt", "pt", "pth", "safetensors"}

// floats are the types that weights can be exported in.
var floats = []string{"float32", "float16", "bfloat16", "float64"}

type exportOptions struct {
	output, dtype, prefix string
	prefixSet, force      bool
}

func (p *program) exportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use: "export FILE -o OUTPUT [flags]", Short: "Write a checkpoint's weights as .safetensors or .pt",
		Long: `Write the weights of a checkpoint, parameters and buffers, as a file that other programs load: safetensors, or a bare
state_dict as torch.save writes it, by the ending of OUTPUT. FILE is a .ckpt, or itself a .pt, .pth or .safetensors.

Of a LighterModule the network is written, under the names it has by itself ("network.conv1.weight" becomes
"conv1.weight"), so that the network's own load_state_dict takes the file; what else the checkpoint holds, such as a
criterion's weights, is named and left out. --prefix chooses another part, and --prefix "" takes everything as it is.`,
		Example: `  lighter export checkpoints/last.ckpt -o model.safetensors
  lighter export checkpoints/last.ckpt -o model.pt --dtype bfloat16
  lighter export checkpoints/last.ckpt -o encoder.pt --prefix network.encoder.
  lighter export resnet18.pth -o resnet18.safetensors`,
		SuggestFor: []string{"convert", "save"}, GroupID: otherGroup, DisableFlagsInUseLine: true,
		Args:              oneFile,
		ValidArgsFunction: completeFiles(weightFiles...),
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.output, "output", "o", "", "the file to write: a `PATH` that ends in .safetensors, .pt or .pth")
	flags.StringVar(&o.prefix, "prefix", "", "export the weights whose names begin with `TEXT`, without it (default \"network.\" where there are such names)")
	flags.StringVar(&o.dtype, "dtype", "", "convert floating-point weights to `TYPE`: "+strings.Join(floats, ", "))
	flags.BoolVar(&o.force, "force", false, "replace OUTPUT if it is there")
	_ = cmd.RegisterFlagCompletionFunc("output", completeFiles(weightFiles[1:]...)) // these fail for an unknown flag only
	_ = cmd.RegisterFlagCompletionFunc("dtype", cobra.FixedCompletions(floats, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("prefix", cobra.NoFileCompletions)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.prefixSet = flags.Changed("prefix")
		if err := o.check(); err != nil {
			p.started = false
			err.cmd = cmd
			return err
		}
		if err := p.export(args[0], o); err != nil {
			return &engine.Error{Code: engine.ExitCheckpoint, Err: fmt.Errorf("export: %w", err)}
		}
		return nil
	}
	return cmd
}

// oneFile wants one argument.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	err := &usageError{cmd: cmd, err: errors.New("a file is missing: a .ckpt, .pt, .pth or .safetensors")}
	if len(args) > 1 {
		err.err = fmt.Errorf("one file is wanted, got %d: %s", len(args), strings.Join(args, " "))
	}
	return err
}

// completeFiles offers files with the endings for the first argument or a flag.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// check finds what is wrong before a file is read.
func (o exportOptions) check() *usageError {
	switch {
	case o.output == "":
		return &usageError{err: errors.New("-o is missing: the file to write"), hint: "for example: -o model.safetensors"}
	case !slices.Contains(checkpoint.Endings, filepath.Ext(o.output)):
		return &usageError{err: fmt.Errorf("-o %q: the ending says what to write: %s", o.output, strings.Join(checkpoint.Endings, ", "))}
	case o.dtype != "" && !slices.Contains(floats, o.dtype):
		return &usageError{err: fmt.Errorf("--dtype %q: it is one of %s", o.dtype, strings.Join(floats, ", "))}
	}
	if _, err := os.Lstat(o.output); err == nil && !o.force {
		return &usageError{err: fmt.Errorf("%s is there already", o.output), hint: "--force replaces it"}
	}
	return nil
}

func (p *program) export(path string, o exportOptions) (err error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !o.prefixSet {
		o.prefix = f.DefaultPrefix()
	}
	part, left, err := f.Part(o.prefix)
	if err != nil {
		return err
	}
	var convert func(*torchfile.Tensor) (*torchfile.Tensor, error)
	if o.dtype != "" {
		convert = func(t *torchfile.Tensor) (*torchfile.Tensor, error) { return converted(t, o.dtype) }
	}
	if err := f.Export(o.output, o.prefix, part, convert); err != nil {
		return err
	}
	st, err := os.Stat(o.output)
	if err != nil {
		return err
	}
	note := ""
	if o.prefix != "" {
		note = fmt.Sprintf(", named without the prefix %q", o.prefix)
	}
	p.log.Info().Msgf("wrote %s: %d tensors, %s%s", o.output, len(part), byteText(st.Size()), note)
	if len(left) > 0 {
		p.log.Info().Msgf("left out, because their names do not begin with %q: %s", o.prefix, strings.Join(left, ", "))
	}
	return nil
}

// converted is a tensor in another floating-point type; others stay as they are, as with PyTorch's Module.to.
func converted(t *torchfile.Tensor, dtype string) (*torchfile.Tensor, error) {
	from, known := tensor.ParseDType(t.DType.String())
	to, _ := tensor.ParseDType(dtype)
	if !known || !from.IsFloat() || from == to {
		return t, nil
	}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	out := tensor.FromBytes(b, from, t.Shape).To(tensor.Device{}, to)
	for d := torchfile.Float32; d.Valid(); d++ {
		if d.String() == dtype {
			return torchfile.NewTensor(d, t.Shape, out.Bytes()), err
		}
	}
	return nil, fmt.Errorf("no type %q", dtype)
}

// byteText is a size in the unit that fits: "44.7 MB".
func byteText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
