package transform

import (
	"strings"

	"github.com/lighter-go/lighter/internal/registry"
)

// subpolicy is an operation, its probability and the bin of its magnitude, -1 for none.
type subpolicy struct {
	op  string
	p   float64
	bin int
}

// policies are the learned pairs of operations, in torchvision's order.
var policies = map[AutoAugmentPolicy][][2]subpolicy{
	"imagenet": {
		{{"Posterize", 0.4, 8}, {"Rotate", 0.6, 9}},
		{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, -1}},
		{{"Equalize", 0.8, -1}, {"Equalize", 0.6, -1}},
		{{"Posterize", 0.6, 7}, {"Posterize", 0.6, 6}},
		{{"Equalize", 0.4, -1}, {"Solarize", 0.2, 4}},
		{{"Equalize", 0.4, -1}, {"Rotate", 0.8, 8}},
		{{"Solarize", 0.6, 3}, {"Equalize", 0.6, -1}},
		{{"Posterize", 0.8, 5}, {"Equalize", 1, -1}},
		{{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}},
		{{"Equalize", 0.6, -1}, {"Posterize", 0.4, 6}},
		{{"Rotate", 0.8, 8}, {"Color", 0.4, 0}},
		{{"Rotate", 0.4, 9}, {"Equalize", 0.6, -1}},
		{{"Equalize", 0, -1}, {"Equalize", 0.8, -1}},
		{{"Invert", 0.6, -1}, {"Equalize", 1, -1}},
		{{"Color", 0.6, 4}, {"Contrast", 1, 8}},
		{{"Rotate", 0.8, 8}, {"Color", 1, 2}},
		{{"Color", 0.8, 8}, {"Solarize", 0.8, 7}},
		{{"Sharpness", 0.4, 7}, {"Invert", 0.6, -1}},
		{{"ShearX", 0.6, 5}, {"Equalize", 1, -1}},
		{{"Color", 0.4, 0}, {"Equalize", 0.6, -1}},
		{{"Equalize", 0.4, -1}, {"Solarize", 0.2, 4}},
		{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, -1}},
		{{"Invert", 0.6, -1}, {"Equalize", 1, -1}},
		{{"Color", 0.6, 4}, {"Contrast", 1, 8}},
		{{"Equalize", 0.8, -1}, {"Equalize", 0.6, -1}},
	},
	"cifar10": {
		{{"Invert", 0.1, -1}, {"Contrast", 0.2, 6}},
		{{"Rotate", 0.7, 2}, {"TranslateX", 0.3, 9}},
		{{"Sharpness", 0.8, 1}, {"Sharpness", 0.9, 3}},
		{{"ShearY", 0.5, 8}, {"TranslateY", 0.7, 9}},
		{{"AutoContrast", 0.5, -1}, {"Equalize", 0.9, -1}},
		{{"ShearY", 0.2, 7}, {"Posterize", 0.3, 7}},
		{{"Color", 0.4, 3}, {"Brightness", 0.6, 7}},
		{{"Sharpness", 0.3, 9}, {"Brightness", 0.7, 9}},
		{{"Equalize", 0.6, -1}, {"Equalize", 0.5, -1}},
		{{"Contrast", 0.6, 7}, {"Sharpness", 0.6, 5}},
		{{"Color", 0.7, 7}, {"TranslateX", 0.5, 8}},
		{{"Equalize", 0.3, -1}, {"AutoContrast", 0.4, -1}},
		{{"TranslateY", 0.4, 3}, {"Sharpness", 0.2, 6}},
		{{"Brightness", 0.9, 6}, {"Color", 0.2, 8}},
		{{"Solarize", 0.5, 2}, {"Invert", 0, -1}},
		{{"Equalize", 0.2, -1}, {"AutoContrast", 0.6, -1}},
		{{"Equalize", 0.2, -1}, {"Equalize", 0.6, -1}},
		{{"Color", 0.9, 9}, {"Equalize", 0.6, -1}},
		{{"AutoContrast", 0.8, -1}, {"Solarize", 0.2, 8}},
		{{"Brightness", 0.1, 3}, {"Color", 0.7, 0}},
		{{"Solarize", 0.4, 5}, {"AutoContrast", 0.9, -1}},
		{{"TranslateY", 0.9, 9}, {"TranslateY", 0.7, 9}},
		{{"AutoContrast", 0.9, -1}, {"Solarize", 0.8, 3}},
		{{"Equalize", 0.8, -1}, {"Invert", 0.1, -1}},
		{{"TranslateY", 0.7, 9}, {"AutoContrast", 0.9, -1}},
	},
	"svhn": {
		{{"ShearX", 0.9, 4}, {"Invert", 0.2, -1}},
		{{"ShearY", 0.9, 8}, {"Invert", 0.7, -1}},
		{{"Equalize", 0.6, -1}, {"Solarize", 0.6, 6}},
		{{"Invert", 0.9, -1}, {"Equalize", 0.6, -1}},
		{{"Equalize", 0.6, -1}, {"Rotate", 0.9, 3}},
		{{"ShearX", 0.9, 4}, {"AutoContrast", 0.8, -1}},
		{{"ShearY", 0.9, 8}, {"Invert", 0.4, -1}},
		{{"ShearY", 0.9, 5}, {"Solarize", 0.2, 6}},
		{{"Invert", 0.9, -1}, {"AutoContrast", 0.8, -1}},
		{{"Equalize", 0.6, -1}, {"Rotate", 0.9, 3}},
		{{"ShearX", 0.9, 4}, {"Solarize", 0.3, 3}},
		{{"ShearY", 0.8, 8}, {"Invert", 0.7, -1}},
		{{"Equalize", 0.9, -1}, {"TranslateY", 0.6, 6}},
		{{"Invert", 0.9, -1}, {"Equalize", 0.6, -1}},
		{{"Contrast", 0.3, 3}, {"Rotate", 0.8, 4}},
		{{"Invert", 0.8, -1}, {"TranslateY", 0, 2}},
		{{"ShearY", 0.7, 6}, {"Solarize", 0.4, 8}},
		{{"Invert", 0.6, -1}, {"Rotate", 0.8, 4}},
		{{"ShearY", 0.3, 7}, {"TranslateX", 0.9, 3}},
		{{"ShearX", 0.1, 6}, {"Invert", 0.6, -1}},
		{{"Solarize", 0.7, 2}, {"TranslateY", 0.6, 7}},
		{{"ShearY", 0.8, 4}, {"Invert", 0.8, -1}},
		{{"ShearX", 0.7, 9}, {"TranslateY", 0.8, 3}},
		{{"ShearY", 0.8, 5}, {"AutoContrast", 0.7, -1}},
		{{"ShearX", 0.7, 2}, {"Invert", 0.1, -1}},
	},
}

// lowerLast is the last part of a dotted name, in lower case: AutoAugmentPolicy.CIFAR10 is cifar10.
func lowerLast(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}

var _ registry.Decoder = (*AutoAugmentPolicy)(nil)

func init() {
	for name := range policies {
		registry.Constant("torchvision.transforms.AutoAugmentPolicy."+strings.ToUpper(string(name)), name)
		registry.Constant("torchvision.transforms.v2.AutoAugmentPolicy."+strings.ToUpper(string(name)), name)
	}
}
