// The chart's axes and layers, joined to latent_view.js when it is served.
