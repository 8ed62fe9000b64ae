package registry

import (
	"strings"
	"testing"
)

func TestUnknownNamesAreToldApart(t *testing.T) {
	for _, c := range []struct{ target, msg, hint string }{
		{"torch.nn.Transformer", `Cannot locate class or function: "torch.nn.Transformer": torch.nn.Transformer is PyTorch's, not supported here`, "`lighter list` shows what is"},
		{"torch.nn.modules.transformer.Transformer", "is PyTorch's, not supported here", "`lighter list`"},
		{"torch.nn.LazyLinear", "is PyTorch's, not supported here", "write in_features and the like"},
		{"torch.nn.utils.weight_norm", "is PyTorch's, not supported here", "use torch.nn.utils.parametrizations.weight_norm"},
		{"torch.cumsum", "is PyTorch's, not supported here", "`lighter list`"},
		{"torch.nn.Transfromer", "Cannot locate", "did you mean 'torch.nn.Transformer'? It is PyTorch's, not supported here"},
		{"torchmetrics.image.FrechetInceptionDistance", "is torchmetrics', not supported here", "not among the metrics that every configuration uses"},
		{"torchvision.models.resnet18", "is torchvision's, not supported here", "`lighter list`"},
		{"lightning.pytorch.callbacks.BatchSizeFinder", "is Lightning's, not supported here", "set data::train_dataloader::batch_size"},
		{"pytorch_lightning.callbacks.LambdaCallback", "is Lightning's, not supported here", "its functions act on objects of Python"},
		{"lightning.pytorch.callbacks.finetuning.BackboneFinetuning", "is Lightning's, not supported here", "use lighter.callbacks.Freezer"},
		{"pytorch_lightning.loggers.WandbLogger", "is Lightning's, not supported here", "use pytorch_lightning.loggers.CSVLogger or pytorch_lightning.loggers.TensorBoardLogger"},
		{"lightning.pytorch.loggers.MLFlowLogger", "is Lightning's, not supported here", "TensorBoardLogger"},
		{"pytorch_lightning.loggers.wandb.WandbLogger", "is Lightning's, not supported here", "TensorBoardLogger"},
		{"lightning.pytorch.loggers.NeptuneLogger", "is Lightning's, not supported here", "TensorBoardLogger"}, // of releases before 2.6.4
		{"toy.nn.Linaer", `Cannot locate class or function: "toy.nn.Linaer"`, "did you mean 'toy.nn.Linear'?"},
		{"toy.nn.linear", "Cannot locate", "did you mean 'toy.nn.Linear'?"},
		{"toy.nn.Foo", "Cannot locate", "`lighter list` shows what there is"},
		{"nn.SGD", "Cannot locate", "did you mean 'toy.optim.SGD'?"},
		{"quite.something.Else", "Cannot locate", "`lighter list` shows what there is"},
		{"project.net.Net", "Cannot locate", "ported to Starlark"},
	} {
		msg, hint := Unknown(c.target)
		if !strings.Contains(msg, c.msg) || !strings.Contains(hint, c.hint) {
			t.Errorf("%s: got %q and the hint %q, want %q and %q", c.target, msg, hint, c.msg, c.hint)
		}
	}
}

func TestKnownNames(t *testing.T) {
	if len(knownText) > 150_000 {
		t.Errorf("known.txt has %d bytes", len(knownText))
	}
	last := ""
	for line := range strings.Lines(knownText) {
		module, _, _ := strings.Cut(line, " ")
		if module <= last {
			t.Errorf("%s does not stand in order", module)
		}
		if top, _, _ := strings.Cut(module, "."); owners[top] == "" {
			t.Errorf("nobody owns %s", module)
		}
		last = module
	}
}
