// Package model holds layers and losses under PyTorch's names, with PyTorch's arguments, defaults, initial weights (the
// same draws from libtorch's generator) and state_dict keys. One file is one family, as in torch/nn/modules.
package model

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// layer registers torch.nn.<class>, also under the names of the module that defines it, torch.nn.modules.<file>.<class>.
func layer(file, class string, prototype registry.Builder[lighter.Module]) {
	lighter.Register(target(class), prototype, "torch.nn.modules."+file+"."+class, "torch.nn.modules."+class)
}

func target(class string) string { return "torch.nn." + class }

// list is a list of ints as Python writes it.
func list(s []int64) string { return strings.ReplaceAll(fmt.Sprint(s), " ", ", ") }
