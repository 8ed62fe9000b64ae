package registry

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/lighter-go/lighter/internal/diag"
)

// knownText has a line for each module of PyTorch, torchmetrics, torchvision and PyTorch Lightning with the names it makes
// public. testdata/fixtures/known.py wrote it.
//
//go:embed known.txt
var knownText string

// knownModules are the names of known.txt by module.
var knownModules = sync.OnceValue(func() map[string][]string {
	modules := map[string][]string{}
	for line := range strings.Lines(knownText) {
		if words := strings.Fields(line); len(words) > 1 {
			modules[words[0]] = words[1:]
		}
	}
	return modules
})

// owners are the libraries of known.txt by their package.
var owners = map[string]string{"torch": "PyTorch's", "torchmetrics": "torchmetrics'", "torchvision": "torchvision's", "pytorch_lightning": "Lightning's", "monai": "MONAI's"}

// instead names what does here what a class of another library does.
var instead = func() map[string]string {
	loggers := "use pytorch_lightning.loggers.CSVLogger or pytorch_lightning.loggers.TensorBoardLogger"
	profilers := ": use pytorch_lightning.profilers.SimpleProfiler or pytorch_lightning.profilers.PyTorchProfiler"
	m := map[string]string{
		"pytorch_lightning.profilers.AdvancedProfiler": "it is cProfile, of Python's functions" + profilers,
		"pytorch_lightning.profilers.XLAProfiler":      "it is of TPUs" + profilers,
		"torch.nn.utils.weight_norm":                   "it is deprecated there: use torch.nn.utils.parametrizations.weight_norm",
		"torch.nn.utils.spectral_norm":                 "it is the older form: use torch.nn.utils.parametrizations.spectral_norm",
	}
	for _, class := range []string{"WandbLogger", "MLFlowLogger", "CometLogger", "NeptuneLogger", "LitLogger"} {
		m["pytorch_lightning.loggers."+class] = loggers
	}
	for _, class := range []string{"PatchInferer", "SaliencyInferer", "SliceInferer", "SlidingWindowInfererAdapt"} {
		m["monai.inferers."+class] = "use monai.inferers.SlidingWindowInferer or monai.inferers.SimpleInferer"
	}
	freezer := "it freezes the module's `backbone`, and a LighterModule has a network; use lighter.callbacks.Freezer"
	for class, reason := range map[string]string{
		"BackboneFinetuning": freezer, "BaseFinetuning": freezer,
		"BasePredictionWriter": "it is a base for classes in Python; use lighter.callbacks.CsvWriter or lighter.callbacks.FileWriter",
		"BatchSizeFinder":      "it looks for `batch_size` in the module or the data module, and a LighterDataModule's loaders have their own; set data::train_dataloader::batch_size",
		"Callback":             "it is a base for classes in Python; `lighter list pytorch_lightning.callbacks` shows those that are here",
		"Checkpoint":           "it is a base for classes in Python; use pytorch_lightning.callbacks.ModelCheckpoint",
		"LambdaCallback":       "its functions act on objects of Python, and an expression here acts on nothing",
		"ModelPruning":         "its parametrizations of torch.nn.utils.prune are not here",
		"ProgressBar":          "it is a base for classes in Python; use pytorch_lightning.callbacks.TQDMProgressBar or RichProgressBar",
		"SpikeDetection":       "it ends a run at a spike of the loss, for a loop in Python that leaves those batches out; trainer::gradient_clip_val bounds what a spike does",
	} {
		m["pytorch_lightning.callbacks."+class] = reason
	}
	return m
}()

// canonical is a target under the package that known.txt has it in.
func canonical(target string) string {
	for _, p := range []string{"lightning.pytorch.", "lightning."} {
		if rest, ok := strings.CutPrefix(target, p); ok {
			return "pytorch_lightning." + rest
		}
	}
	return target
}

// ownerOf says whose a name is that exists elsewhere.
func ownerOf(target string) (owner string, ok bool) {
	top, _, _ := strings.Cut(canonical(target), ".")
	if owners[top] == "" {
		return "", false
	}
	_, ok = publicName(target)
	return owners[top], ok
}

// publicName is the name in known.txt that a target means. A class is also found in the file that defines it:
// torch.nn.modules.linear.Linear.
func publicName(target string) (name string, ok bool) {
	target = canonical(target)
	dot := strings.LastIndexByte(target, '.')
	if dot < 0 {
		return target, false
	}
	module, class := target[:dot], target[dot+1:]
	exact := func() bool { // or gone from the library, with a reason
		return slices.Contains(knownModules()[module], class) || instead[module+"."+class] != ""
	}
	for !exact() && strings.Contains(module, ".") && strings.IndexFunc(class, unicode.IsUpper) == 0 {
		module = module[:strings.LastIndexByte(module, '.')]
	}
	return module + "." + class, exact()
}

// knownNames are all names of the library that a target begins with.
func knownNames(target string) []string {
	top, _, _ := strings.Cut(canonical(target), ".")
	var names []string
	for module, classes := range knownModules() {
		if module != top && !strings.HasPrefix(module, top+".") {
			continue
		}
		for _, c := range classes {
			names = append(names, module+"."+c)
		}
	}
	slices.Sort(names)
	return names
}

// Unknown says about a name that is no component whose it is, or what was likely meant.
func Unknown(target string) (msg, hint string) {
	msg = fmt.Sprintf("Cannot locate class or function: %q", target)
	if strings.HasPrefix(target, "project.") {
		return msg, "a project is the folder you run in, when it has the marker __lighter__.star; lighter runs no Python: docs/porting.md shows how a project with __lighter__.py is ported to Starlark"
	}
	if owner, ok := ownerOf(target); ok {
		msg += fmt.Sprintf(": %s is %s, not supported here", target, owner)
		name, _ := publicName(target)
		if hint = instead[name]; hint == "" {
			hint = reasonFor(name)
		}
		if hint == "" {
			hint = "`lighter list" + nearestModule(target) + "` shows what is"
		}
		return msg, hint
	}
	if near := nearestTarget(target); near != "" {
		return msg, fmt.Sprintf("did you mean '%s'?", near)
	}
	if near := diag.Nearest(canonical(target), knownNames(target), 1); len(near) > 0 {
		owner, _ := ownerOf(near[0])
		return msg, fmt.Sprintf("did you mean '%s'? It is %s, not supported here", near[0], owner)
	}
	return msg, "`lighter list` shows what there is"
}

// nearestModule is the package of a target, with a blank before it, when it has components here.
func nearestModule(target string) string {
	for i := strings.LastIndexByte(target, '.'); i > 0; i = strings.LastIndexByte(target[:i], '.') {
		if slices.ContainsFunc(Names(), func(n string) bool { return strings.HasPrefix(n, target[:i+1]) }) {
			return " " + target[:i]
		}
	}
	return ""
}

// nearestTarget is the component a wrong name likely means: one spelt nearly so, else one of the same class elsewhere.
func nearestTarget(target string) string {
	for _, near := range diag.Nearest(target, Names(), 5) {
		if class := near[strings.LastIndexByte(near, '.')+1:]; diag.Distance(target, near) <= 1+len(class)/4 {
			return near
		}
	}
	class := target[strings.LastIndexByte(target, '.')+1:]
	for _, e := range All() {
		if strings.EqualFold(e.Class(), class) {
			return e.Target
		}
	}
	return ""
}
