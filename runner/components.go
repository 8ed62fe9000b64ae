package runner

// The components that every program's configurations may name.
import (
	_ "github.com/lighter-go/lighter/internal/adapter"
	_ "github.com/lighter-go/lighter/internal/callback"
	_ "github.com/lighter-go/lighter/internal/creation"
	_ "github.com/lighter-go/lighter/internal/data"
	_ "github.com/lighter-go/lighter/internal/data/files"
	_ "github.com/lighter-go/lighter/internal/data/transform"
	_ "github.com/lighter-go/lighter/internal/data/vision"
	_ "github.com/lighter-go/lighter/internal/inferer"
	_ "github.com/lighter-go/lighter/internal/metric"
	_ "github.com/lighter-go/lighter/internal/model"
	_ "github.com/lighter-go/lighter/internal/module"
	_ "github.com/lighter-go/lighter/internal/optim"
	_ "github.com/lighter-go/lighter/internal/profiler"
	_ "github.com/lighter-go/lighter/internal/pytorch"
	_ "github.com/lighter-go/lighter/internal/scheduler"
	_ "github.com/lighter-go/lighter/internal/torchscript"
	_ "github.com/lighter-go/lighter/internal/vision"
)
