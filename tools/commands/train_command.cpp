// The options of `oxbow train`.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands/cli.h"
#include "commands/data.h"
#include "commands/interrupt.h"
#include "commands/train.h"

namespace oxbow::tools {
Command train_command(CLI::App& program) {
  auto train = std::make_shared<TrainCommand>();
  CLI::App* t = program.add_subcommand(
      "train", "Train a net on MNIST or tensors of your own and write curve, parameters and graph");
  t->footer(
      "Examples:\n"
      "  oxbow train mnist_cnn --epochs 3       a convolutional net, three passes over the data\n"
      "  oxbow train --optimizer sgd --learning-rate 0.1 --out sgd\n"
      "  oxbow train --optimizer sgd --set momentum=0.9 --learning-rate 0.01\n"
      "  oxbow train --learning-rate 3e-3 --schedule cosine --warmup 200 --clip-norm 1\n"
      "  oxbow train --record norms --tensorboard runs/adam\n"
      "  oxbow train my_net.txt                 a graph that print(graph) wrote\n"
      "  oxbow train my_net.txt --data train.safetensors --test test.safetensors\n"
      "                                         on tensors with the names of its inputs, samples along the first axis\n"
      "  oxbow train net.onnx --train 'head.*' --data train.safetensors\n"
      "                                         an ONNX model's head, by the tensor \"label\"; writes out/model.onnx\n"
      "History and state are written at each epoch's end: the same command with --resume continues from there, also\n"
      "after a kill or a power cut. Ctrl-C ends training and writes what was learned until then.");
  t->add_option(
       "net", train->net,
       "an example (mnist_mlp, mnist_cnn), a file with a graph whose outputs are loss and accuracy, or an ONNX file")
      ->capture_default_str();
  t->add_option("--data", train->data, data_help)->capture_default_str();
  t->add_option("--test", train->test, "more samples, in a file as --data takes it, to test on");
  t->add_option("--train", train->trained,
                "names of parameters of an ONNX file to be trained: * stands for any text, ? for one character")
      ->allow_extra_args(false);
  t->add_option("--out", train->out, "folder for the results")->capture_default_str();
  add_optimizer(*t, train->optimizer, train->fields);
  t->add_option("--learning-rate", train->learning_rate, "default: the optimizer's own")
      ->check(positive, "greater than 0");
  t->add_option("--schedule", train->schedule, "of the learning rate, from --learning-rate on, over all epochs")
      ->check(CLI::IsMember(schedule_names()))
      ->capture_default_str();
  t->add_option("--warmup", train->warmup, "steps in which the rate rises from 0, before the schedule")
      ->check(positive, "greater than 0");
  t->add_option("--clip-norm", train->clip_norm, "scale gradients down to this length, all of them taken together")
      ->check(positive, "greater than 0");
  t->add_option("--accumulate", train->accumulate, "minibatches whose gradients make one step")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  t->add_option("--ema", train->ema, "test and save a moving average of the weights with this decay, 0.999 say")
      ->check(below_one, "0 to less than 1");
  t->add_option_function<std::string>(
       "--record", [train](const std::string&) { train->record_norms = true; },
       "norms: each step's gradient norms and update-to-weight ratios, in history.csv and norms.svg")
      ->check(CLI::IsMember({"norms"}));
  t->add_option("--tensorboard", train->tensorboard,
                "folder for event files, which TensorBoard shows: curves, and each epoch's parameters");
  t->add_flag("--resume", train->resume, "go on where a training with the same options ended, from its --out folder");
  t->add_option("--checkpoint-every", train->checkpoint_every,
                "minibatches, and at each epoch's end; default: only then")
      ->check(positive, "greater than 0");
  t->add_option("--epochs", train->epochs, "passes over the training images")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  t->add_option("--batch-size", train->batch_size, "images a step")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  add_threads(*t, train->threads, "default: all cores; the results are the same");
  t->add_option("--seed", train->seed, "of the order of the images")->check(seed)->capture_default_str();
  add_memory_budget(*t, train->memory_budget);
  add_activations(*t, train->activations);
  add_check_numerics(*t, train->check_numerics);
  return {t, [train] { return tools::train(*train, Interrupt().token()); }};
}

}  // namespace oxbow::tools
