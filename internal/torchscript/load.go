package torchscript

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

const target = "torch.jit.load"

// Load are the arguments of torch.jit.load. https://docs.pytorch.org/docs/stable/generated/torch.jit.load.html
type Load struct {
	F             string      `cfg:"f,required,aka=file|path|filename|model_path" help:"the file that torch.jit.save or model.save wrote"`
	MapLocation   mapLocation `cfg:"map_location,aka=device" help:"device of the constants in its code; parameters follow the trainer"`
	ExtraFiles    any         `cfg:"_extra_files" help:"null: texts beside the network are not read"`
	RestoreShapes any         `cfg:"_restore_shapes,ignored" help:"no effect: shapes of examples are for tools"`
}

func init() {
	lighter.Register[lighter.Module](target, Load{}, "torch.jit._serialization.load")
}

// Doc is the component's prose.
func (Load) Doc() string {
	return `A network that a PyTorch program saved as TorchScript: torch.jit.script(model).save("model.pt"). It is trained, saved and
restored as any other; parameters and buffers have the names that PyTorch gives them. A file can hold code of TorchScript only:
operators that reach beyond the network, as those of files, are refused before any of it runs.`
}

// Validate refuses what a configuration has no use for.
func (a Load) Validate() error {
	if a.ExtraFiles != nil {
		return lighter.FieldError("_extra_files", "nothing reads the texts saved beside a network, and a configuration has nowhere to put them: leave _extra_files out")
	}
	if a.F == "" {
		return lighter.FieldError("f", `must be the path of a TorchScript file, got ""`)
	}
	return nil
}

// Build loads the network.
func (a Load) Build(env *lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	if err := identify(a.F); err != nil {
		return nil, lighter.FieldError("f", "%w", err)
	}
	if a.MapLocation.Type == tensor.CUDA {
		if err := openCUDA(); err != nil {
			return nil, lighter.FieldError("map_location", "is %q: %w", tensor.Device(a.MapLocation), err)
		}
	}
	var s *tensor.Script
	if err := tensor.Catch(func() { s = tensor.LoadScript(a.F, tensor.Device(a.MapLocation)) }); err != nil {
		return nil, lighter.FieldError("f", "%s: %w", a.F, unloadable(err))
	}
	m := newModule(s)
	if env.Stage == "fit" && len(m.Params()) == 0 {
		env.Log.Warn().Msgf("%s: %s has no parameters to train: freezing (torch.jit.freeze) and quantizing make constants of them", env.Path, a.F)
	}
	return m, nil
}

func openCUDA() error {
	if err := tensor.OpenCUDA(); err != nil {
		return err
	}
	if tensor.DeviceCount() == 0 {
		return errors.New("no usable GPU was found: `lighter doctor` says why; without map_location the network is loaded to the CPU and moved by the trainer")
	}
	return nil
}

// mapLocation is a device. The zero value is the CPU, from where the trainer moves the network.
type mapLocation tensor.Device

// ConfigType names the form.
func (*mapLocation) ConfigType() string { return `null, "cpu" or "cuda:N"` }

// DecodeConfig takes a device's name.
func (d *mapLocation) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
		*d = mapLocation{}
	case string:
		device, err := tensor.ParseDevice(x)
		*d = mapLocation(device)
		return err
	default:
		return fmt.Errorf("must be %s, got %s", d.ConfigType(), lighter.TypeName(v))
	}
	return nil
}
