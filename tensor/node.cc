// Nodes of autograd's graph whose backward pass is a function of Go's.
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include "guard.h"

extern "C" {
// Exported by node.go. The gradients and results are handles: the callee owns the first and gives the second, null for none.
extern int ltNodeBackward(uint64_t id, lt_tensor *grads, int n, lt_tensor *results, int m);
extern void ltNodeRelease(uint64_t id);
}

namespace {
using namespace lighter;
using torch::autograd::Node;
using torch::autograd::variable_list;

struct GoNode : public Node {
  uint64_t id;
  int inputs;

  GoNode(uint64_t id, int inputs) : id(id), inputs(inputs) {}
  ~GoNode() override { ltNodeRelease(id); }
  std::string name() const override { return "FunctionBackward"; }

  variable_list apply(variable_list &&grads) override {
    std::vector<lt_tensor> in(grads.size()), out(inputs);
    for (size_t i = 0; i < grads.size(); i++) in[i] = grads[i].defined() ? new Tensor(grads[i]) : nullptr;
    if (ltNodeBackward(id, in.data(), static_cast<int>(in.size()), out.data(), inputs) != 0)
      throw std::runtime_error("the backward function of an autograd function failed");
    variable_list results(inputs);
    for (int i = 0; i < inputs; i++) {
      if (!out[i]) continue;
      results[i] = tensor_of(out[i]);
      lt_free(out[i]);
    }
    return results;
  }
};
} // namespace

int lt_node(uint64_t id, const lt_tensor *inputs, int n, const lt_tensor *outputs, int m, lt_tensor *results) {
  return guarded([&] {
    variable_list in;
    for (int i = 0; i < n; i++) in.push_back(tensor_of(inputs[i]));
    auto node = std::shared_ptr<GoNode>(new GoNode(id, n), torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(in));
    for (int i = 0; i < m; i++) {
      Tensor out = tensor_of(outputs[i]).detach();
      if (out.is_floating_point() || out.is_complex()) torch::autograd::set_history(out, node);
      results[i] = new Tensor(std::move(out));
    }
  });
}
