"""Options that ask for nothing, or for what a model lacks; seeds of all 64 bits."""

import json

from support import SENSOR_NAMES, SMALL, USAGE, Case, main, sensor_rows

GAUSSIAN = [*SMALL, "--likelihood", "gaussian", "--standardize", "--epochs", "2", "--no-report"]


class Options(Case):
    def setUp(self):
        super().setUp()
        self.table("tab.csv", sensor_rows(60), SENSOR_NAMES)

    def refuse(self, *words, parts):
        result = self.train("--data", "tab.csv", *GAUSSIAN, *words, "--out", "refused")
        self.assert_ended(result, USAGE, *parts)
        self.assertFalse((self.folder / "refused").exists())

    def test_schedules_that_never_do_anything(self):
        self.refuse("--beta-schedule", "cyclical:period=1,ramp=0.5", parts=["cyclical:period=1", "a period of 2 steps or more"])
        self.refuse("--beta", "0", "--beta-schedule", "linear:steps=5", parts=["--beta 0", "the weight 0 in every step"])
        self.refuse("--lr-schedule", "exponential:gamma=1e-300", parts=["gamma=1e-300", "from the second epoch"])
        self.refuse("--lr-schedule", "exponential:gamma=1e-28", parts=["gamma=1e-28", "1e-31"])
        for words in (["--beta-schedule", "cyclical:period=2,ramp=0.5"], ["--beta", "0"],
                      ["--lr-schedule", "exponential:gamma=1e-20"]):
            self.assert_done(self.train("--data", "tab.csv", *GAUSSIAN, *words, "--out", "run", "--overwrite"))

    def test_a_manifold_needs_a_normal_prior(self):
        for latent in ("vq", "deterministic"):
            self.assert_done(self.train("--data", "tab.csv", *GAUSSIAN, "--latent", latent, "--out", latent))
            model = f"{latent}/model.safetensors"
            self.assert_ended(self.tool("manifold", model, "--out", "m.csv"), USAGE, "no normal prior", "vae_cuda traverse")
            self.assertFalse((self.folder / "m.csv").exists())
            self.assert_done(self.tool("traverse", model, "--out", "t.csv"))

    def test_seeds_of_all_64_bits(self):
        """Wherever a seed is asked for, 0 to 2^64-1; config.toml, whose integers are signed, brings it back."""
        most = str(2**64 - 1)
        for seed in ("0", str(2**63 - 1), str(2**63), most):
            self.assert_done(self.train("--data", "tab.csv", *GAUSSIAN, "--seed", seed, "--out", f"s{seed}"))
            model = f"s{seed}/model.safetensors"
            self.assertEqual(str(json.loads(self.tool("info", model, "--json").out)["seed"]), seed)
            self.assert_done(self.train("--config", f"s{seed}/config.toml", "--out", f"again{seed}"))
            self.assertEqual((self.folder / model).read_bytes(), (self.folder / f"again{seed}/model.safetensors").read_bytes())
            self.assert_done(self.train("--resume", f"s{seed}", "--epochs", "3"))
            drawn = self.tool("generate", model, "-n", "2", "--seed", seed, "--out", "g.csv", "--json")
            self.assertEqual(str(json.loads(drawn.out)["seed"]), seed)
            for command in ("score", "evaluate"):
                self.assert_done(self.tool(command, model, "--data", "tab.csv", "--seed", seed))
        for seed in (str(2**64), "-1", "1.0", "+1", "007", ""):
            self.refuse("--seed", seed, parts=["--seed", "a whole number from 0 to " + most])
            self.assert_ended(self.tool("generate", model, "-n", "2", "--seed", seed, "--out", "g.csv"), USAGE, most)
        self.write("c.toml", '[train]\nseed = "7"\n')
        self.assert_ended(self.train("--data", "tab.csv", "--config", "c.toml", "--out", "c"), USAGE, "expected an integer")


if __name__ == "__main__":
    main()
