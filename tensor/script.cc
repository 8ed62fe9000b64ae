// TorchScript modules. What a file would run is compiled and checked before anything of it runs: loading may already run
// code, that of __setstate__.
#include "script.h"
#include "guard.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/csrc/jit/serialization/import_read.h>
#include <torch/csrc/jit/serialization/import_source.h>
#include <torch/script.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

using lighter::guarded;
namespace jit = torch::jit;
using c10::IValue;

namespace {

struct Script {
  std::vector<jit::Module> modules; // the root first, parents before children, each once
  std::vector<std::vector<std::pair<std::string, int64_t>>> children;
};

Script *script_of(lt_script s) { return static_cast<Script *>(s); }

bool starts(const std::string &s, const char *prefix) { return s.rfind(prefix, 0) == 0; }

// The classes of libtorch itself that a file may hold instances of: the packed weights of quantized layers. Others open files,
// connections and shared objects.
bool custom_class_refused(const std::string &name) {
  return starts(name, "__torch__.torch.classes.") && !starts(name, "__torch__.torch.classes.quantized.");
}

// An operator that a network has a use for. Namespaces are named, not banned, so that those of later versions are refused.
bool operator_allowed(const std::string &name) {
  static const std::set<std::string> refused = {
      "aten::save",      "aten::from_file", "prim::rpc_async", "prim::rpc_sync",
      "prim::rpc_remote", "prim::PythonOp",  "prim::IgnoredPythonOp",
  };
  if (refused.count(name)) return false;
  for (const char *space : {"aten::", "prim::", "quantized::", "profiler::"})
    if (starts(name, space)) return true;
  return false;
}

void check_type(const c10::TypePtr &type, const std::string &where) {
  if (auto cls = type->cast<c10::ClassType>())
    if (cls->name())
      TORCH_CHECK(!custom_class_refused(cls->name()->qualifiedName()), "refused: ", where, " uses the class ",
                  cls->name()->qualifiedName(), ", which can reach beyond the network");
  for (const auto &inner : type->containedTypes())
    if (inner->kind() != c10::TypeKind::ClassType) check_type(inner, where);
}

void check_block(const jit::Block *block, const std::string &where) {
  for (const jit::Node *node : block->nodes()) {
    std::string name = node->kind().toQualString();
    TORCH_CHECK(operator_allowed(name), "refused: ", where, " uses ", name,
                ", which can reach beyond the network (files, processes, other machines)");
    for (const auto *v : node->inputs()) check_type(v->type(), where);
    for (const auto *v : node->outputs()) check_type(v->type(), where);
    for (const jit::Block *b : node->blocks()) check_block(b, where);
    for (auto attr : node->attributeNames()) {
      if (node->kindOf(attr) == jit::AttributeKind::g) check_block(node->g(attr)->block(), where);
      if (node->kindOf(attr) == jit::AttributeKind::gs)
        for (const auto &g : node->gs(attr)) check_block(g->block(), where);
    }
  }
}

void check_function(jit::Function *f) {
  if (f->isGraphFunction()) check_block(jit::toGraphFunction(*f).graph()->block(), f->qualname().qualifiedName());
}

// The names that follow the word `class` in a source: more than the classes it defines where a text has that word.
std::vector<std::string> class_names(const std::string &source) {
  std::vector<std::string> names;
  auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = source.find("class"); at != std::string::npos; at = source.find("class", at + 5)) {
    size_t i = at + 5;
    if ((at > 0 && word(source[at - 1])) || (i < source.size() && word(source[i]))) continue;
    while (i < source.size() && !word(source[i]) && source[i] != '\n') i++;
    size_t end = i;
    while (end < source.size() && word(source[end])) end++;
    if (end > i) names.push_back(source.substr(i, end - i));
  }
  return names;
}

std::string text_record(caffe2::serialize::PyTorchStreamReader &reader, const std::string &name) {
  auto [data, size] = reader.getRecord(name);
  return std::string(static_cast<const char *>(data.get()), size);
}

// Names a pickle's class "a.b\nC", which is one name to the reader.
void check_pickle(std::string pickle) {
  std::replace(pickle.begin(), pickle.end(), '\n', '.');
  const std::string space = "torch.classes.";
  for (size_t at = pickle.find(space); at != std::string::npos; at = pickle.find(space, at + 1)) {
    std::string name = pickle.substr(at + space.size(), 60);
    name = name.substr(0, name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."));
    TORCH_CHECK(starts(name, "quantized."), "refused: the file holds an instance of the class ", space, name,
                " which can reach beyond the network");
  }
}

// Compiles every class of the file and checks its methods and the functions they call, running nothing.
void check_file(const std::string &path) {
  caffe2::serialize::PyTorchStreamReader reader(path);
  for (const char *pickle : {"data.pkl", "constants.pkl"})
    if (reader.hasRecord(pickle)) check_pickle(text_record(reader, pickle));

  std::vector<IValue> constants;
  if (reader.hasRecord("constants.pkl")) {
    auto no_class = [](const c10::QualifiedName &name) -> c10::StrongTypePtr {
      TORCH_CHECK(false, "refused: a constant is of the class ", name.qualifiedName());
    };
    auto no_object = [](const c10::StrongTypePtr &, const IValue &) -> c10::intrusive_ptr<c10::ivalue::Object> {
      TORCH_CHECK(false, "refused: a constant is an object of a class");
    };
    auto tuple = jit::readArchiveAndTensors("constants", "", "constants/", jit::TypeResolver(no_class), jit::ObjLoader(no_object),
                                            c10::Device(c10::kCPU), reader)
                     .toTuple();
    constants.assign(tuple->elements().begin(), tuple->elements().end());
  }
  std::unordered_map<std::string, std::shared_ptr<jit::Source>> sources;
  auto source = [&](const std::string &qualifier) -> std::shared_ptr<jit::Source> {
    std::string record = "code/" + qualifier + ".py";
    std::replace(record.begin(), record.end() - 3, '.', '/');
    if (!reader.hasRecord(record)) return nullptr;
    return std::make_shared<jit::Source>(text_record(reader, record), record, 1);
  };
  auto cu = std::make_shared<jit::CompilationUnit>();
  jit::SourceImporter importer(cu, &constants, source, reader.version());
  for (const std::string &record : reader.getAllRecords()) {
    if (!starts(record, "code/") || record.size() < 8 || record.compare(record.size() - 3, 3, ".py") != 0) continue;
    std::string qualifier = record.substr(5, record.size() - 8);
    std::replace(qualifier.begin(), qualifier.end(), '/', '.');
    for (const auto &name : class_names(text_record(reader, record))) {
      auto type = importer.loadType(c10::QualifiedName(c10::QualifiedName(qualifier), name));
      auto cls = type ? type->cast<c10::ClassType>() : nullptr;
      if (!cls) continue;
      for (jit::Function *method : cls->methods()) check_function(method);
      for (const auto &hook : cls->getForwardHooks()) check_function(hook);
      for (const auto &hook : cls->getForwardPreHooks()) check_function(hook);
      for (size_t i = 0; i < cls->numAttributes(); i++) check_type(cls->getAttribute(i), cls->name()->qualifiedName());
    }
  }
  for (jit::Function *f : cu->get_functions()) check_function(f);
}

int64_t gather(Script &s, std::unordered_map<const void *, int64_t> &seen, const jit::Module &m) {
  const void *object = m._ivalue().get();
  auto known = seen.find(object);
  if (known != seen.end()) return known->second;
  int64_t at = s.modules.size();
  seen[object] = at;
  s.modules.push_back(m);
  s.children.emplace_back();
  for (const auto &child : m.named_children()) {
    int64_t index = gather(s, seen, child.value);
    s.children[at].emplace_back(child.name, index);
  }
  return at;
}

c10::impl::GenericList list() { return c10::impl::GenericList(c10::AnyType::get()); }

} // namespace

int lt_script_load(const char *path, int device, int index, lt_script *out) {
  return guarded([&] {
    // What scripts print must not mix with what the program prints for others to read.
    jit::setPrintHandler([](const std::string &text) { std::fputs(text.c_str(), stderr); });
    check_file(path);
    auto s = std::make_unique<Script>();
    auto root = jit::load(path, c10::Device(static_cast<c10::DeviceType>(device), static_cast<c10::DeviceIndex>(index)));
    std::unordered_map<const void *, int64_t> seen;
    gather(*s, seen, root);
    *out = s.release();
  });
}

void lt_script_free(lt_script s) { delete script_of(s); }

int lt_script_describe(lt_script script, const char **out, size_t *len) {
  return guarded([&] {
    const Script &s = *script_of(script);
    std::unordered_map<const void *, int64_t> seen;
    auto tensors = list();
    auto entry = [&](c10::impl::GenericList into, const std::string &name, const at::Tensor &t) {
      auto [it, fresh] = seen.emplace(t.unsafeGetTensorImpl(), static_cast<int64_t>(tensors.size()));
      if (fresh) tensors.push_back(t);
      into.push_back(name);
      into.push_back(it->second);
    };
    auto modules = list();
    for (size_t i = 0; i < s.modules.size(); i++) {
      const auto &m = s.modules[i];
      auto children = list(), params = list(), buffers = list(), methods = list();
      for (const auto &child : s.children[i]) {
        children.push_back(child.first);
        children.push_back(child.second);
      }
      for (const auto &p : m.named_parameters(false)) entry(params, p.name, p.value);
      for (const auto &b : m.named_buffers(false)) entry(buffers, b.name, b.value);
      for (const auto &f : m.get_methods()) methods.push_back(f.name());
      auto arguments = list();
      if (auto forward = m.find_method("forward"))
        for (const auto &a : forward->function().getSchema().arguments()) arguments.push_back(a.name());
      bool trains = m.hasattr("training") && m.attr("training").isBool();
      auto one = list();
      one.push_back(m.type()->name() ? m.type()->name()->qualifiedName() : std::string());
      one.push_back(children);
      one.push_back(params);
      one.push_back(buffers);
      one.push_back(methods);
      one.push_back(trains ? IValue(m.attr("training").toBool()) : IValue());
      one.push_back(arguments);
      modules.push_back(one);
    }
    lighter::write_results({tensors, modules}, out, len);
  });
}

int lt_script_call(lt_script script, int module, const char *buf, size_t len, const char **out, size_t *out_len) {
  return guarded([&] {
    auto call = lighter::read_call(buf, len);
    const jit::Module &m = script_of(script)->modules[module];
    auto method = m.find_method(call.name);
    TORCH_CHECK(method, "the module has no method '", call.name, "'");
    const auto &schema = method->function().getSchema();
    call.args.insert(call.args.begin(), m._ivalue());
    jit::Stack stack;
    if (!lighter::place(schema, call.args, call.kwargs, stack)) {
      schema.checkAndNormalizeInputs(call.args, {call.kwargs.begin(), call.kwargs.end()}); // throws what is wrong
      TORCH_CHECK(false, call.name, "(): the arguments do not fit ", schema);
    }
    // Without the profiling executor every operation is recorded for autograd by itself, as in Python without TorchScript: the
    // same numbers from the first step on, and no recompilation when shapes change.
    jit::GraphOptimizerEnabledGuard plain(false);
    method->function().run(stack);
    lighter::write_results(stack, out, out_len);
  });
}

int lt_script_train(lt_script script, int module, int on) {
  return guarded([&] { script_of(script)->modules[module].setattr("training", on != 0); });
}

int lt_script_save(lt_script script, const char *path) {
  return guarded([&] { script_of(script)->modules[0].save(path); });
}
