// Package vision holds torchvision's networks under their names, with its state_dict keys and initial weights. A family is a table: a row
// names a network, its blocks and the files of its weights.
package vision
