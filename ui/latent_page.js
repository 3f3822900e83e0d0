// The element's parts and the drawing library, joined to latent_view.js when it is served.
