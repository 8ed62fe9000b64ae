package pytorch

const (
	noFiles     = "user code reads and writes no files: checkpoints, weights and data are named in the configuration"
	noCompile   = "there is nothing to compile: operators run as libtorch's own"
	noPickle    = "user code loads no pickles"
	noNumPy     = "there is no NumPy here"
	noProcess   = "processes belong to the trainer"
	noNamed     = "named dimensions are not supported"
	noMemory    = "the memory behind a tensor is not reachable"
	noFunctorch = "function transforms need Python's objects: write the batch as a dimension"
)

// refused are names of PyTorch that are not here, and why.
var refused = map[string]string{
	"torch.load":                         noFiles + " (--ckpt_path, lighter.utils.model)",
	"torch.save":                         noFiles + " (predictions: lighter.callbacks.FileWriter)",
	"torch.from_file":                    noFiles,
	"torch.from_numpy":                   noNumPy + ": lighter.datasets.NPY reads arrays, torch.tensor takes lists",
	"torch.frombuffer":                   noMemory,
	"torch.from_dlpack":                  noMemory,
	"torch.to_dlpack":                    noMemory,
	"torch.compile":                      noCompile,
	"torch.jit.script":                   noCompile + "; torch.jit.load reads a module that a PyTorch program scripted",
	"torch.jit.trace":                    noCompile + "; torch.jit.load reads a module that a PyTorch program traced",
	"torch.jit.save":                     noFiles,
	"torch.vmap":                         noFunctorch,
	"torch.hub.load":                     "user code downloads nothing: torchvision.models and project modules build networks",
	"torch.set_default_device":           "trainer::accelerator says where things run; give device= to a function that makes a tensor",
	"torch.set_default_tensor_type":      "it is deprecated: give dtype= to functions that make tensors, trainer::precision to the run",
	"torch.set_default_dtype":            "give dtype= to functions that make tensors, trainer::precision to the run",
	"torch.set_num_threads":              "set OMP_NUM_THREADS in the environment",
	"torch.use_deterministic_algorithms": "set trainer::deterministic",
}
