# lpdm on the processor: docker build -t lpdm . && docker run --rm -it -v "$PWD/runs:/runs" lpdm \
#   train /usr/share/lpdm/configs/cartpole-lpdm.json --out /runs/cartpole
FROM debian:12 AS build
COPY . /source
WORKDIR /source
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates python3-pip dpkg-dev file \
  && tools/bootstrap.sh \
  && cmake --preset release -DLPDM_BUILD_TESTS=OFF \
  && cmake --build --preset release \
  && cpack -G DEB --config build/release/CPackConfig.cmake -B /packages

FROM debian:12-slim
COPY --from=build /packages /packages
RUN apt-get update \
  && apt-get install -y --no-install-recommends /packages/*.deb \
    ffmpeg libegl1 libgl1-mesa-dri python3-matplotlib \
  && rm -rf /packages /var/lib/apt/lists/*
ENTRYPOINT ["lpdm"]
CMD ["--help"]
